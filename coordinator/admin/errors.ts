// What an operator or auditor can get wrong, as a closed union of codes. Categories are chosen here, once.

import { CodedError, defineErrors, type ErrorCategory } from '../../src/base/index.js';

export const ADMIN_ERRORS = defineErrors({
  'admin/no-job': 'There is no job of this name here: `veilsum-audit jobs` lists those that are.',
  'admin/no-round': 'The job has no such round, or not yet: `veilsum-audit rounds JOB` lists those that it has.',
  'admin/no-sum': 'The round has no result, so no sum was opened: it is still open, or it was abandoned.',
  'admin/no-model': 'The job trains no model: only jobs of kind train and evaluate have one.',
  'admin/no-manifest': 'The request carries no signed manifest: the caller runs other software.',
  'admin/wrong-operator':
    'A manifest is offered by the operator who signed it: use the certificate and the signing key of one person.',
  'admin/no-silo': 'The roster has no silo of this name: `veilsum-audit silos` lists those that it has.',
  'admin/no-log':
    'The consortium keeps no transparency log, or no checkpoint of it has a quorum yet: its roster names no log key, or its silos are away.',
  'admin/no-entry': 'The log has fewer entries than the request names: GetCheckpoint says how many there are.',
  'admin/no-artefact': 'The round has no such object: GetRound lists those that it has.',
  'admin/erased':
    'The object was kept as long as `retention` of the coordinator says and is erased; the log holds an entry about it. Whoever exported a bundle before has it.',
  'admin/not-reader':
    'The coordinator’s configuration gives objects of this kind to others only: see `retention` there, and ask one of them.',
  'admin/no-order': 'The request carries no signed order: the caller runs other software.',
  'admin/bad-field': 'The message has no field of this name: names are those of the .proto, at its top level.',
  'admin/bad-filter': 'A filter asks for what this version does not know, or for a range that ends before it begins.',
  'admin/acts-full':
    'The journal of acts has reached its limit, and nothing is done or given out that is not written down: archive the state folder and talk to the developers.',
  'admin/bad-page': 'The page is not one of this list: start again without a page token.',
});

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

const CATEGORY: Readonly<Record<AdminErrorCode, ErrorCategory>> = {
  'admin/no-job': 'missing',
  'admin/no-round': 'missing',
  'admin/no-sum': 'state',
  'admin/no-model': 'state',
  'admin/no-manifest': 'content',
  'admin/wrong-operator': 'membership',
  'admin/no-silo': 'missing',
  'admin/no-log': 'state',
  'admin/no-entry': 'missing',
  'admin/no-artefact': 'missing',
  'admin/erased': 'missing',
  'admin/not-reader': 'membership',
  'admin/no-order': 'content',
  'admin/bad-field': 'content',
  'admin/bad-filter': 'content',
  'admin/acts-full': 'limit',
  'admin/bad-page': 'content',
};

export class AdminError extends CodedError<AdminErrorCode> {
  override readonly name = 'AdminError';

  constructor(code: AdminErrorCode, message: string) {
    super(code, message, { category: CATEGORY[code], remedy: ADMIN_ERRORS[code] });
  }
}
