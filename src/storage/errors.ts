// What can be wrong with what we stored. These are never a peer's doing: the program stops and a person looks (docs/operations.md).

import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const STORAGE_ERRORS = defineErrors({
  'storage/persist-failed':
    'A commit did not reach the disk: the program ends, since it must not send what it may forget. Look at disk and quota, then start again.',
  'storage/closed':
    'The store was used after it had been closed or after a commit had failed: a bug, or a program that did not end.',
  'storage/unknown-format':
    'The store was written by another version of Veilsum: use that version, or follow the upgrade notes.',
  'storage/wrong-key':
    'The store was sealed under another key file: put the right one back. Without it the contents are lost.',
  'storage/sealing-mismatch':
    'A store that is sealed was opened without a key, or one that is not with a key: correct the configuration.',
  'storage/bad-key-file': 'A storage key file does not hold exactly 32 bytes: restore it from its backup.',
  'storage/damaged':
    'A record does not open, is missing, or is not in its place: look with fsck. A coordinator goes on from a backup that holds everything it answered; an agent never goes back to an older copy, it is admitted anew.',
  'storage/record-too-large': 'A record is larger than the journal takes: large objects belong into blobs.',
  'storage/bad-name':
    'A journal, key, blob or upload has a name that cannot be one: a bug, or a stray file in the folder.',
  'storage/hash-mismatch': 'Bytes do not have the hash under which they were to be stored: fetch them again.',
  'storage/no-such-blob': 'A blob is not in the store: fetch it from a peer that holds it.',
  'storage/bad-range': 'A read or append lies outside the file: ask for the size first.',
  'storage/upload-gap': 'An append would leave a gap: continue at the durable offset.',
  'storage/upload-conflict': 'Bytes sent again differ from those already durable: the upload keeps the first ones.',
  'storage/upload-moved':
    'An upload went on at another coordinator, or was started anew: ask for the durable offset and continue there.',
  'storage/upload-full': 'Uploads reached their limit of bytes: finish or delete some, or raise the limit.',
  'storage/not-empty':
    'A folder that has to be new or empty holds something already: name another one, or move away what is there; an agent’s state is never overwritten.',
  'storage/backup-damaged':
    'A backup is not finished, or its files are not those that were copied: use another one. Nothing was restored.',
  'storage/backup-foreign':
    'A backup is another program’s, member’s or roster’s: name the right folder or the right configuration. Nothing was restored.',
  'storage/log-mismatch':
    'A checkpoint to be published is not one of this log, or older than the published one: two programs write one log, or it was restored from a backup. Stop, look with fsck, and never delete the newer one.',
  'storage/bad-database':
    'The database is named or secured in a way that is not taken: correct `storage` and `database` in the configuration.',
  'storage/database-away':
    'The database did not answer for as long as it is waited for. Nothing was acknowledged that is not in it; start again when it is back.',
  'storage/database-refused':
    'The database said no: password, certificate, rights, disk, or a bug. Its own message is in the text; run doctor.',
  'storage/lease-lost':
    'Another coordinator leads now; this one wrote nothing after that and has ended. Start it again: it will stand by.',
  'storage/lease-held': 'A coordinator leads: stop all of them first.',
  'storage/objects-refused':
    'The object store or shared folder refused a read or a write: look at its address, credentials and space; run doctor.',
});

export type StorageErrorCode = keyof typeof STORAGE_ERRORS;

export class StorageError extends CodedError<StorageErrorCode> {
  override readonly name = 'StorageError';

  constructor(code: StorageErrorCode, message: string, context: ErrorContext = {}) {
    super(code, message, { remedy: STORAGE_ERRORS[code], ...context });
  }
}
