// Every event that a program may log, by name: one closed list, so that operators can alert on names and a test can say that each is
// documented. Fields are scalars chosen at the call; vectors, shares, keys, per-silo losses and values of records are never among them.

export const EVENTS = {
  'program.started': 'A program is up, with its version and what it listens on or dials.',
  'program.stopping': 'A program was told to stop and finishes what is under way.',
  'program.stopped': 'A program has ended in an orderly way.',
  'program.recovered': 'The journal was folded again after a start, with the number of records.',
  'program.internal-error': 'Something that is our fault: an error without a code, or one that no peer is told about.',
  'connection.lost': 'The stream to the coordinator broke; the agent connects again by itself.',
  'silo.connected': 'A silo opened its stream.',
  'silo.gone': "A silo's stream closed.",
  'silo.message-refused': 'A message of a silo was refused, with the code.',
  'job.offered': "A job waits for the decision of the silo's operator.",
  'job.decided': 'A job was approved or refused, by the operator or by a policy rule.',
  'job.prepared': 'The silo has checked the model, the layout and the first model hash of a job.',
  'job.unfit': 'The silo cannot take part in a job, with the code.',
  'job.created': 'An operator created a job.',
  'job.stopped': 'A job was completed, paused or ended.',
  'round.started': 'A silo accepted a plan and takes part in a round.',
  'round.phase': 'A round entered a phase.',
  'round.contributed': 'A silo has computed and stored its input.',
  'round.uploaded': "A silo's masked input is on the coordinator's disk.",
  'round.signed': 'A silo confirmed survivors and sum.',
  'round.released': 'A silo released its shares.',
  'round.verified': 'A silo verified a result and acknowledged it.',
  'round.closed': 'A round got its terminal entry.',
  'round.notice': 'Something about a round that the operator should know, with a code.',
  'directive.refused': 'A silo refused a directive of the coordinator, with the code.',
  'certificate.reloaded': 'A renewed certificate is in use.',
  'certificate.kept': 'A certificate file could not be used; the last good one stays.',
  'revocations.reloaded': 'A changed revocation list is in force.',
  'revocations.kept': 'A revocation list could not be used; the last good one stays in force.',
} as const;

export type EventName = keyof typeof EVENTS;
