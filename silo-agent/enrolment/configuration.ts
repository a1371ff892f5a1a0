// The configuration that an enrolment writes: complete, so that `veilsum-agent run` takes it, and commented where the hospital decides.

import { relative } from 'node:path';
import { hex } from '../../src/base/index.js';
import type { AgentFolder } from './folder.js';

export interface ConfigurationParts {
  readonly dir: string;
  readonly silo: string;
  readonly consortium: string;
  readonly coordinator: string;
  readonly coordinatorServerName?: string | undefined;
  /** Undefined where an external authority issues: nothing renews by itself then. */
  readonly authority: string | undefined;
  readonly proxy?: { readonly address: string; readonly credentials?: string | undefined } | undefined;
  readonly rosterHash: Uint8Array;
  readonly cosigning: boolean;
}

/** YAML. Paths are relative to the folder, so that it can be moved. */
export function configurationText(parts: ConfigurationParts, folder: AgentFolder): string {
  const { dir, silo, consortium, coordinator, coordinatorServerName, authority, proxy, rosterHash, cosigning } = parts;
  const at = (path: string): string => quoted(relative(dir, path));
  const lines = [
    `# The agent of ${silo}. Written by veilsum-agent enroll; docs/operations.md explains every field.`,
    `silo: ${quoted(silo)}`,
    `consortium: ${quoted(consortium)}`,
    '# Journal and models. One folder for one agent; never put an older copy of it in its place.',
    'state: state',
    '',
    'coordinator:',
    `  address: ${quoted(coordinator)}`,
    ...(coordinatorServerName === undefined ? [] : [`  serverName: ${quoted(coordinatorServerName)}`]),
    ...(authority === undefined
      ? ['# No authority: certificates come from elsewhere, and somebody replaces the bundle before it ends.']
      : ['# Certificates are renewed here, by themselves.', 'authority:', `  address: ${quoted(authority)}`]),
    ...(proxy === undefined
      ? []
      : [
          'proxy:',
          `  address: ${quoted(proxy.address)}`,
          ...(proxy.credentials === undefined ? [] : [`  credentials: ${quoted(proxy.credentials)}`]),
        ]),
    '',
    'tls:',
    `  bundle: ${at(folder.bundle)}`,
    `  ca: ${at(folder.authorities)}`,
    'keys:',
    `  signing: ${at(folder.signingKey)}`,
    ...(cosigning ? [`  cosigning: ${at(folder.cosigningKey)}`] : []),
    '  # Made at the first start.',
    `  storage: ${at(folder.signingKey.replace('.signing.key', '.storage.key'))}`,
    'roster:',
    `  file: ${at(folder.roster)}`,
    '  # Compare it by telephone: veilsum-audit roster hash prints it.',
    `  hash: ${quoted(hex(rosterHash))}`,
    '',
    '# What the coordinator cannot lower. These are the defaults; docs/samples/agent.yaml has them all.',
    'policy:',
    '  minCohort: 5',
    '  minHonest: 3',
    '',
    '# What jobs may ask for, by name: one SELECT each, over files in the named folders. Fill this in:',
    '# dataSets:',
    '#   vitals:',
    "#     query: SELECT * FROM '/srv/veilsum/vitals/*.csv'",
    '#     directories: [/srv/veilsum/vitals]',
    'dataSets: {}',
    '',
    'log:',
    '  level: info',
  ];
  return `${lines.join('\n')}\n`;
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
