// What an operator or auditor meets beside the errors of the library, as a closed union of codes.

import { CodedError, defineErrors, type ErrorCategory } from '../src/base/index.js';

export const AUDIT_ERRORS = defineErrors({
  'audit/no-config': 'Name the client configuration with --config FILE; docs/samples/client.yaml is one.',
  'audit/wrong-consortium':
    'Configuration, roster and certificate must name one consortium: check which of the files belongs to another.',
  'audit/no-identity': 'Have a bundle issued for an operator or auditor: veilsum-ca issue --role operator --id NAME.',
  'audit/expired-certificate': 'Have the certificate renewed: veilsum-ca issue.',
  'audit/no-signing-key': 'Name the operator’s Ed25519 key as keys.signing in the configuration.',
  'audit/not-operator': 'Use the bundle and the signing key of an operator: auditors read, operators act.',
  'audit/wrong-key':
    'The roster names another public key for this operator: use the key that belongs to it, or have the roster changed.',
  'audit/unreachable':
    'Check that the coordinator runs, that coordinator.address names it, that DNS, firewall and proxy let this machine through, and that tls.ca is the consortium’s authority.',
  'audit/not-a-roster': 'Name a roster that `veilsum-audit roster make` wrote, or its YAML with the ending .yaml.',
  'audit/unknown-silos': 'Correct `silos` in the job file, or pin the roster that has them.',
  'audit/model-option': 'Leave out --model: a statistics job has no model.',
  'audit/other-columns':
    'Give both jobs the same features in the same order: the result of one standardises the inputs of the other.',
  'audit/not-statistics': 'Name a job of kind statistics in model.standardiseBy.',
  'audit/no-result':
    'Wait until the round has a result: veilsum-audit watch JOB. An abandoned job must be created again under another name.',
  'audit/unconfirmed':
    'Wait until more of its silos have verified the result: veilsum-audit round JOB 1. Until then only the coordinator vouches for it.',
  'audit/bad-answer':
    'The coordinator’s answer contradicts what was signed. Do not use it; keep the output and talk to the coordinator’s operator and to the silos.',
  'audit/other-model': 'Give the forward model file that the job was created with.',
  'audit/model-refused':
    'Change the model as the list says and export it again; docs/models.md lists what can be trained.',
  'audit/bad-reason': 'Say in one sentence why: everybody reads it, also in two years.',
  'audit/bundle-option': 'Leave out --verify: a bundle is checked with veilsum-audit verify.',
  'audit/bad-hash':
    'Give the hash that the consortium has pinned: 64 hexadecimal digits, as `veilsum-audit roster hash` prints it.',
  'audit/bad-number':
    'Give a whole number in the range that the message names: rounds count from 1, entries of the log from 0 (`veilsum-audit log tail`).',
});

export type AuditErrorCode = keyof typeof AUDIT_ERRORS;

/** Another command line, file or configuration cures it. */
const USAGE: ReadonlySet<AuditErrorCode> = new Set<AuditErrorCode>([
  'audit/no-config',
  'audit/wrong-consortium',
  'audit/no-identity',
  'audit/expired-certificate',
  'audit/no-signing-key',
  'audit/not-operator',
  'audit/wrong-key',
  'audit/not-a-roster',
  'audit/unknown-silos',
  'audit/model-option',
  'audit/other-columns',
  'audit/not-statistics',
  'audit/other-model',
  'audit/bundle-option',
  'audit/bad-hash',
  'audit/bad-number',
  'audit/bad-reason',
]);

function categoryOf(code: AuditErrorCode): ErrorCategory {
  if (code === 'audit/unreachable') return 'unavailable';
  return code === 'audit/no-result' || code === 'audit/unconfirmed' ? 'state' : 'content';
}

export class AuditError extends CodedError<AuditErrorCode> {
  override readonly name = 'AuditError';

  constructor(code: AuditErrorCode, message: string, cause?: unknown) {
    super(code, message, { category: categoryOf(code), remedy: AUDIT_ERRORS[code], cause });
  }

  get isUsage(): boolean {
    return USAGE.has(this.code);
  }
}
