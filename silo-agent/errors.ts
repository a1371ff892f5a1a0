import { CodedError, defineErrors, type ErrorContext } from '../src/base/index.js';

export const AGENT_ERRORS = defineErrors({
  'agent/journal-mismatch':
    'Folding the journal gives other messages than were sent. The state folder is damaged or was written by another version. Do not go on, and never put an older copy in its place: an agent that forgets what it signed could sign twice. Keep the folder, run `veilsum-agent fsck`, and have the silo admitted anew with fresh keys.',
  'agent/roster-key': 'The signing key of this silo is not the one in the roster.',
  'agent/certificate':
    'The certificate in tls.bundle does not stand for the silo of this configuration, so the coordinator would refuse every message. Name the right bundle, or have a certificate issued for this silo.',
  'agent/no-data-set': "The job wants a data set that this agent's configuration does not have.",
  'agent/model-too-large': "The model or its number of parameters is larger than this silo's policy allows.",
  'agent/bad-layout': 'The sum layout in the manifest is not the one that follows from its recipe, contract and model.',
  'agent/no-statistics': 'The job standardises by a statistics result that this silo has not verified.',
  'agent/no-model-state': "The model that a round starts from is not in this silo's state folder.",
  'agent/unknown-job': 'No job with this id or hash waits in the state folder of this agent.',
  'agent/already-decided':
    'The operator of this silo has decided on this job before, and decisions are final. A changed job needs a new manifest.',
  'agent/small-holdout':
    "Fewer records are held out than this silo's policy asks for (policy.minimumHoldout): their metrics would say much about each. With `differencing: warn` it is only told of, with `refuse` the silo declines the round.",
  'agent/training-failed': 'The trainer failed for a reason of its own; the log of the agent has the code.',
  'agent/restore-unwatched':
    'A restored state that is older than what this silo has signed since could be made to release what the newer one would refuse, and without a log nobody notices. Restore with `--newest` only when the agent has not run since the backup; otherwise have the silo admitted anew with fresh keys.',
  'agent/unknown-roster':
    'No proposed roster with this hash is known to this agent: `veilsum-agent roster show` lists them. One that was just proposed arrives when the agent is connected.',
  'agent/already-signed':
    'A silo signs one successor of the roster for each epoch, and a signature is final. Agree with the others on the roster that this silo has signed, or let them go on without it.',
  'agent/bad-vote':
    'A vote names something that cannot be voted on: see the numbers and hashes that `veilsum-audit rounds --json` prints.',
});

export type AgentErrorCode = keyof typeof AGENT_ERRORS;

export class AgentError extends CodedError<AgentErrorCode> {
  constructor(code: AgentErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { category: 'content', ...context });
  }
}

/** Record `sequence` does not fold. */
export function journalMismatch(sequence: number, why: string): AgentError {
  return new AgentError('agent/journal-mismatch', `record ${String(sequence)} of the journal: ${why}.`);
}
