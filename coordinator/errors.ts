import { CodedError, defineErrors, type ErrorContext } from '../src/base/index.js';

export const COORDINATOR_ERRORS = defineErrors({
  'coordinator/no-model':
    'The manifest names a model that has not been uploaded. Upload it first: `veilsum-audit job create` does both.',
  'coordinator/no-statistics': 'The manifest standardises by a statistics result that this coordinator does not have.',
  'coordinator/first-model':
    'The first model computed from the uploaded file is not the one the manifest names: the file or the statistics differ.',
  'coordinator/bad-layout':
    'The sum layout in the manifest is not the one that follows from its recipe, contract and model.',
  'coordinator/not-a-member':
    'A silo whose certificate is good is not in the roster: it was never admitted. Its operator checks which consortium it dials.',
  'coordinator/bad-upload':
    'An upload leaves a gap, or bytes sent again differ from those already stored: ask for the durable offset and continue there.',
  'coordinator/no-upload': 'An upload was offered that no open attempt expects from this silo.',
  'coordinator/upload-too-long': 'An upload is longer than the vector of its round.',
  'coordinator/no-blob': 'No object with this hash may be fetched by this silo.',
  'coordinator/journal-mismatch':
    'Folding the journal gives other messages than were sent. The journal is damaged or was written by another version; do not go on, restore a backup.',
  'coordinator/roster-key':
    'The signing key of this coordinator, or the key of its log, is not the one in the roster or is not configured.',
  'coordinator/no-entries': 'Entries of the transparency log were asked for that it does not have.',
  'coordinator/not-leading':
    'No coordinator leads at this moment, or the one that does gave no answer in time. What was asked is asked again; if it lasts, look at the database.',
  'coordinator/log-mismatch':
    'The transparency log is not the one that the journal gives: one of the two was set back or damaged. Do not go on; restore both from one backup.',
});

export type CoordinatorErrorCode = keyof typeof COORDINATOR_ERRORS;

export class CoordinatorError extends CodedError<CoordinatorErrorCode> {
  constructor(code: CoordinatorErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, context);
  }
}

/** Record `sequence` does not fold. */
export function journalMismatch(sequence: number, why: string): CoordinatorError {
  return new CoordinatorError('coordinator/journal-mismatch', `record ${String(sequence)} of the journal: ${why}.`);
}
