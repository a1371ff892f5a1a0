// Every label under which Veilsum hashes, derives or signs. One list, so that a test can say that no label is a prefix of another
// and no two uses share one (docs/protocol.md §7).

const ROOT = 'veilsum/v1/';

export const LABELS = {
  plan: `${ROOT}plan`,
  graph: `${ROOT}graph`,
  attempt: `${ROOT}attempt`,
  roster: `${ROOT}roster`,
  manifest: `${ROOT}manifest`,
  result: `${ROOT}result`,
  abandon: `${ROOT}closing/abandon`,
  rollback: `${ROOT}closing/rollback`,
  ack: `${ROOT}ack`,
  model: `${ROOT}model`,
  t1: `${ROOT}T1`,
  t2: `${ROOT}T2`,
  t3: `${ROOT}T3`,
  advertise: `${ROOT}message/advertise`,
  shareHeader: `${ROOT}message/share-header`,
  maskedHeader: `${ROOT}message/masked-header`,
  inputLeaf: `${ROOT}y/leaf`,
  inputRoot: `${ROOT}y/root`,
  sum: `${ROOT}Y`,
  opened: `${ROOT}X`,
  inputKey: `${ROOT}input-key`,
  fingerprintChallenge: `${ROOT}fp-challenge`,
  fingerprintWeights: `${ROOT}fp-weights`,
  pairMask: `${ROOT}pair-mask`,
  selfMask: `${ROOT}self-mask`,
  shareEncryption: `${ROOT}share-enc`,
  shareAssociatedData: `${ROOT}share-aad`,
  shareCiphertext: `${ROOT}share-ct`,
  commitSelfShare: `${ROOT}commit/self-share`,
  commitKeyShare: `${ROOT}commit/key-share`,
  commitSelfSecret: `${ROOT}commit/self-secret`,
  deriveChannel: `${ROOT}derive/channel`,
  deriveMask: `${ROOT}derive/mask`,
  deriveSelf: `${ROOT}derive/self`,
  deriveShareKey: `${ROOT}derive/share-key`,
  deriveCoefficientsSelf: `${ROOT}derive/coefficients-self`,
  deriveCoefficientsKey: `${ROOT}derive/coefficients-key`,
  deriveSampling: `${ROOT}derive/sampling`,
  deriveShuffling: `${ROOT}derive/shuffling`,
  deriveDropout: `${ROOT}derive/dropout`,
  deriveRounding: `${ROOT}derive/rounding`,
  deriveNoise: `${ROOT}derive/noise`,
  deriveHoldout: `${ROOT}derive/holdout`,
  deriveDataSet: `${ROOT}derive/data-set`,
  rotation: `${ROOT}rotation`,
  deriveStorage: `${ROOT}derive/storage`,
} as const;

export type Label = (typeof LABELS)[keyof typeof LABELS];

/** The types an Envelope may carry. A silo's signature under one of them never counts under another. */
export const SIGNED_TYPES = [
  'manifest',
  'order',
  'approval',
  'plan',
  'attempt-start',
  'advertise',
  'share-header',
  'shares-checked',
  'complaint',
  'answer',
  'masked-header',
  'receipt',
  'survivors',
  'consistency',
  'unmask',
  'result',
  'ack',
  'decline',
  'abort',
  'abandon',
  'protest',
  'dispute',
  'release-query',
  'release-answer',
  'certificate-request',
  'hello',
  'cosign',
  'exclude',
  'rollback',
  'erasure',
  'successor',
] as const;

export type SignedType = (typeof SIGNED_TYPES)[number];

export function isSignedType(text: string): text is SignedType {
  return (SIGNED_TYPES as readonly string[]).includes(text);
}

/** The label under which an envelope of this type is signed. No type is a prefix of another. */
export function signatureLabel(type: SignedType): string {
  return `${ROOT}sig/${type}`;
}
