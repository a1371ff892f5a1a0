// Writes docs/errors.md from the registries of error codes. Part of `npm run gen`; test/lint/errors-doc.test.ts says that no registry is
// forgotten here and that the committed file is what this writes.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AUDIT_ERRORS } from '../auditor/errors.js';
import { ADMIN_ERRORS } from '../coordinator/admin/errors.js';
import { COORDINATOR_ERRORS } from '../coordinator/errors.js';
import { AGENT_ERRORS } from '../silo-agent/errors.js';
import { VERIFY_ERRORS } from '../src/audit/index.js';
import { CONFIG_ERRORS } from '../src/config/index.js';
import { DATASET_ERRORS } from '../src/dataset/index.js';
import { ENROLMENT_ERRORS } from '../src/enrolment/index.js';
import { JOB_ERRORS } from '../src/job/index.js';
import { MODEL_ERRORS } from '../src/model/index.js';
import { NETWORK_ERRORS } from '../src/network/index.js';
import { PKI_ERRORS } from '../src/pki/index.js';
import { PRIVACY_ERRORS } from '../src/privacy/index.js';
import { PROTOCOL_ERRORS } from '../src/protocol/index.js';
import { STORAGE_ERRORS } from '../src/storage/index.js';
import { SYSTEM_ERRORS } from '../src/system/index.js';
import { TRAINER_ERRORS } from '../src/trainer/index.js';
import { TRANSCRIPT_ERRORS } from '../src/transcript/index.js';
import { TRANSPORT_ERRORS } from '../src/transport/index.js';
import { VECTOR_ERRORS } from '../src/vector/index.js';
import { WIRE_ERRORS } from '../src/wire/index.js';

export interface ErrorChapter {
  readonly title: string;
  /** Who meets these codes, and where. */
  readonly about: string;
  /** The file that defines them. */
  readonly source: string;
  readonly codes: Readonly<Record<string, string>>;
}

export const ERROR_CHAPTERS: readonly ErrorChapter[] = [
  {
    title: 'Protocol',
    about:
      'A message that is wrong in itself or for the state it meets. The state stays as it was. A silo logs the code with `directive.refused`, the coordinator with `silo.message-refused`; a Dispute, an Abort and a round’s notes name it too. [protocol.md](protocol.md) says which check each one is.',
    source: 'src/protocol/rejection.ts',
    codes: PROTOCOL_ERRORS,
  },
  {
    title: 'Agent',
    about: 'What stops a silo’s agent or its part in a job.',
    source: 'silo-agent/errors.ts',
    codes: AGENT_ERRORS,
  },
  {
    title: 'Coordinator',
    about: 'What the coordinator refuses beside the protocol, and what stops it.',
    source: 'coordinator/errors.ts',
    codes: COORDINATOR_ERRORS,
  },
  {
    title: 'Admin API',
    about: 'Answers of the coordinator to operators and auditors.',
    source: 'coordinator/admin/errors.ts',
    codes: ADMIN_ERRORS,
  },
  {
    title: 'veilsum-audit',
    about: 'What the client of operators and auditors refuses by itself. The text is what to do.',
    source: 'auditor/errors.ts',
    codes: AUDIT_ERRORS,
  },
  {
    title: 'Offline verification',
    about:
      'What `veilsum-audit verify` finds in a bundle beside the codes above that it shares with silos. [audit.md](audit.md) says which check each one is.',
    source: 'src/audit/errors.ts',
    codes: VERIFY_ERRORS,
  },
  {
    title: 'Jobs',
    about: 'Job files and the parts of a manifest that say what is computed.',
    source: 'src/job/errors.ts',
    codes: JOB_ERRORS,
  },
  {
    title: 'Models',
    about: 'ONNX files, losses and updates.',
    source: 'src/model/errors.ts',
    codes: MODEL_ERRORS,
  },
  {
    title: 'Data sets',
    about: 'Reading a hospital’s records. Messages name rules, columns and row numbers, never values.',
    source: 'src/dataset/errors.ts',
    codes: DATASET_ERRORS,
  },
  {
    title: 'Training',
    about: 'Local training and evaluation.',
    source: 'src/trainer/errors.ts',
    codes: TRAINER_ERRORS,
  },
  {
    title: 'Vectors',
    about: 'The vector that is summed: layout, quantising, overflow.',
    source: 'src/vector/errors.ts',
    codes: VECTOR_ERRORS,
  },
  {
    title: 'Privacy',
    about: 'Accounting for differential privacy, and its noise.',
    source: 'src/privacy/errors.ts',
    codes: PRIVACY_ERRORS,
  },
  {
    title: 'Configuration',
    about: 'Configuration, roster and job files in YAML.',
    source: 'src/config/errors.ts',
    codes: CONFIG_ERRORS,
  },
  {
    title: 'Certificates',
    about: 'Certificates, requests, bundles and the revocation list; at `veilsum-ca` and on every call.',
    source: 'src/pki/errors.ts',
    codes: PKI_ERRORS,
  },
  {
    title: 'Connections',
    about: 'Connections, calls, uploads and downloads.',
    source: 'src/transport/errors.ts',
    codes: TRANSPORT_ERRORS,
  },
  {
    title: 'Log',
    about: 'Entries, proofs, checkpoints and cosignatures of the transparency log.',
    source: 'src/transcript/errors.ts',
    codes: TRANSCRIPT_ERRORS,
  },
  {
    title: 'Enrolment',
    about: 'Getting a certificate: `veilsum-agent enroll`, and renewals by themselves.',
    source: 'src/enrolment/errors.ts',
    codes: ENROLMENT_ERRORS,
  },
  {
    title: 'Network',
    about: 'The way to the other side, before TLS begins.',
    source: 'src/network/errors.ts',
    codes: NETWORK_ERRORS,
  },
  { title: 'Wire', about: 'Bytes that are no message.', source: 'src/wire/errors.ts', codes: WIRE_ERRORS },
  {
    title: 'Storage',
    about: 'Journals, blobs, uploads and sealed files in a state folder. They end the program with exit code 5.',
    source: 'src/storage/errors.ts',
    codes: STORAGE_ERRORS,
  },
  {
    title: 'System',
    about: 'Files, locks and the machine.',
    source: 'src/system/errors.ts',
    codes: SYSTEM_ERRORS,
  },
];

const HEAD = `# Error codes

Every error that a program prints, logs or sends has a stable code, \`room/what-happened\`. This page lists all of them with what they
mean and what to do. It is generated from the registries in the code by \`npm run gen\`; do not edit it by hand.

A program prints \`code: message What to do: remedy\` on standard error before it ends;
[operations.md](operations.md#exit-codes) says which exit code follows. Over the wire a code travels in the trailing metadata
\`veilsum-code\`; errors of category *internal* travel as \`transport/internal\`, without detail.
`;

export function renderErrors(chapters: readonly ErrorChapter[] = ERROR_CHAPTERS): string {
  const parts = chapters.map(({ title, about, source, codes }) => {
    const rows = Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`);
    return `## ${title}\n\n${about} Defined in \`${source}\`.\n\n| code | what it means and what to do |\n|---|---|\n${rows.join('\n')}\n`;
  });
  return [HEAD, ...parts].join('\n');
}

/** One line of a table, as a sentence. */
function cell(text: string): string {
  const escaped = text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const sentence = `${escaped.charAt(0).toUpperCase()}${escaped.slice(1)}`;
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  await writeFile(resolve('docs/errors.md'), renderErrors());
