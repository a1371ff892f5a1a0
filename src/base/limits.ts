// Every amount a peer can make us spend, with its unit and the reason for its size. A limit that is not here does not exist.

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Silos in a cohort: the threshold table of the protocol is checked for 3 to 200. */
  cohortMin: 3,
  cohortMax: 200,
  /** Members of a roster: room for silos that join later jobs. */
  rosterMembersMax: 400,
  /** Bytes of one signed payload. The largest is a share header at n = 200 (about 26 KiB); 128 KiB leaves room and stays far from 4 MiB. */
  envelopePayloadBytes: 128 * KiB,
  /** Bytes of a manifest: layout, recipe, features of some thousand columns. */
  manifestBytes: 1 * MiB,
  /** Bytes of a model or of any single blob fetched by hash, except vectors. */
  modelBytes: 512 * MiB,
  /** Coordinates of one summed vector: 100 million, 400 MB on the wire. */
  vectorLengthMax: 100_000_000,
  /** Segments of a sum layout. */
  segmentsMax: 4096,
  /** Bytes in one chunk of an upload or download. */
  chunkBytes: 1 * MiB,
  /** Bytes of one gRPC message outside the bulk streams: grpc's own default, kept on purpose. */
  messageBytes: 4 * MiB,
  /**
   * Tags, lengths and small numbers in one message: what is read becomes objects of some hundred bytes, whatever its size on the wire.
   * The largest honest ones are contracts with 10 000 features and a page of rounds, about 100 thousand.
   */
  messageNumbers: 250_000,
  /** Concurrent HTTP/2 streams of one connection: Watch, one upload, downloads and a few unary calls. */
  streamsPerConnection: 32,
  /** Connections one identity may hold at once: the agent, its successor during a restart, and one for commands. */
  connectionsPerIdentity: 8,
  /** Calls of one identity under way at once. */
  callsPerIdentity: 64,
  /** Bytes of one journal record: at n = 200 the largest holds 5 MB of share headers. */
  journalRecordBytes: 8 * MiB,
  /** Contradictions kept as evidence, per journal: enough to convict, not enough to fill a disk. */
  evidenceRecords: 10_000,
  /** What operators did and what was exported, kept in a journal of its own: 300 a day for nine years. */
  actRecords: 1_000_000,
  /** Bytes of a signed message that enters the log whole; a larger one enters by its digest. Leaves room for the entry around it. */
  logEntryEnvelopeBytes: 60 * KiB,
  /** Entries that a silo reads at once: a year of a large consortium. */
  logEntriesPerRead: 4_000_000,
  /** Hellos of one silo within an hour: each is an entry of the log and wants a checkpoint. */
  hellosPerHour: 120,
  /** Attempts of one round (docs/protocol.md §2.4). */
  attemptsPerRound: 3,
  /** Proofs against silos that come with the start of an attempt; each may hold a share of every member. */
  proofsPerStart: 8,
  /** Rounds of one job. */
  roundsMax: 100_000,
  /** Sums over different survivors that a silo's differencing guard compares: more than a round of absences lasts. */
  sumsCompared: 16,
  /** Bytes of one configuration file. */
  configBytes: 1 * MiB,
  /** Bytes of a certificate bundle on disk or on the wire. */
  certificateBytes: 64 * KiB,
  /** Rows shown in an error about data before it says how many more there are. */
  rowsInError: 5,
  /** Bytes of one picture file, and of the pictures unpacked at once. */
  pictureBytes: 64 * MiB,
  picturesHeldBytes: 64 * MiB,
  /** MiB of a data set's records held in memory; more lie encrypted in a file while a round lasts. A configuration may say another number. */
  recordsMiB: 512,
  /** Columns a silo reads for one job. */
  featuresMax: 10_000,
  /** Nodes in a forward model; the training graph has a small multiple of it. */
  modelNodesMax: 50_000,
  /** Values in one row of a model's input: an image of 577 by 577 in three colours. Batches of it are allocated before anything runs. */
  modelRowMax: 1_000_000,
  /** Tags, lengths and small numbers in a model file: about 40 for each of its nodes. */
  modelNumbersMax: 2_000_000,
  /** Bytes of one log entry: what the length prefix of an entry bundle (C2SP tlog-tiles) can say. */
  logEntryBytes: 65_535,
  /** Ends of rounds that a silo remembers of jobs not offered to it: about 150 bytes each, many times what is closed before an offer comes. */
  strangeTerminals: 10_000,
  /** Bytes of a signed note: 512 lines with the longest names of ours, about 250 bytes each, have room. */
  noteBytes: 256 * KiB,
  /** Signature lines of a note: the log's, one for each member of the largest roster, and some of strangers. */
  noteSignatures: 512,
  /** Signatures on checkpoints that are remembered as valid: four notes of the largest size, 100 bytes each. */
  verifiedNoteSignatures: 2048,
  /** Signatures on messages that are remembered as valid: those of two rounds of the largest cohort, 100 bytes each. */
  verifiedSignatures: 4096,
} as const;
