// The silo's role in the protocol: one phase a file.

export { advanceSilo, initialSiloState } from './advance.js';
export type {
  Accepted as SiloAccepted,
  JournalledEvent as SiloJournalledEvent,
  SiloEffect,
  SiloEvent,
  TimedEvent as TimedSiloEvent,
} from './event.js';
export type { JobState as SiloJobState, OpenRound, Opening, SiloPolicy, SiloSelf, SiloState } from './state.js';
