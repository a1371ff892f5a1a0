import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const TRANSCRIPT_ERRORS = defineErrors({
  'transcript/out-of-range':
    'A proof, entry or node was asked for that a tree of this size does not have. Ask for the size first.',
  'transcript/bad-range': 'The stored edge of the tree is not one: run fsck on the log.',
  'transcript/bad-note':
    'Bytes are not a signed note (C2SP signed-note): the sender runs other software, or they were damaged on the way.',
  'transcript/note-too-large': 'A signed note has more bytes or signature lines than its named limits allow.',
  'transcript/bad-checkpoint':
    'The text of a note is not a checkpoint: origin, size and root, one a line and nothing else.',
  'transcript/wrong-origin':
    'A checkpoint is of another log than the one expected: compare the consortium’s name with the roster.',
  'transcript/unsigned-checkpoint':
    'A checkpoint has no signature of the log’s key in the roster, or one that does not verify. Do not use it; keep it as evidence.',
  'transcript/entry-too-large':
    'A log entry has more than 65,535 bytes: log the digest and keep the object beside the log.',
  'transcript/entry-malformed':
    'Bytes are not the canonical encoding of a log entry: the log was written by other software, or was changed.',
  'transcript/entry-version': 'A log entry has a format version that this program does not know: use a later one.',
  'transcript/entry-kind': 'A log entry is of a kind that this program does not know: use a later one.',
  'transcript/bad-entry': 'A log entry does not hold what its kind demands; the message lists every field.',
  'transcript/bad-tile':
    'A tile or entry bundle has not the length or content that its place in the tree demands: run fsck on the log.',
});

export type TranscriptErrorCode = keyof typeof TRANSCRIPT_ERRORS;

export class TranscriptError extends CodedError<TranscriptErrorCode> {
  override readonly name = 'TranscriptError';

  constructor(code: TranscriptErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { category: code.endsWith('too-large') ? 'limit' : 'content', ...context });
  }
}
