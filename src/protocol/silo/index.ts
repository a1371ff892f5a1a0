// The silo's role in the protocol: one phase a file.

export { advanceSilo, initialSiloState } from './advance.js';
export { accountOf, costOfJob, type JobCost, type LedgerAccount } from './ledger-account.js';
export { ledgerOf, reservedUses, roundMechanism, roundsCharged } from './ledger.js';
export { encodeSnapshot, keptAs } from './snapshot.js';
export { LogReading } from './read-log.js';
export { envelopeDigest, isAwake } from './witness.js';
export type {
  Accepted as SiloAccepted,
  JournalledEvent as SiloJournalledEvent,
  SiloEffect,
  SiloEvent,
  TimedEvent as TimedSiloEvent,
} from './event.js';
export type {
  JobState as SiloJobState,
  OpenRound,
  Opening,
  SiloPolicy,
  SiloSelf,
  SiloState,
  WitnessState,
} from './state.js';
