// The end of the demo: what an auditor does who trusts nobody. Export, check offline, and a report to look at.

import { join } from 'node:path';
import type { Founded } from './founding.js';
import { command } from './processes.js';
import type { Screen } from './screen.js';

export interface AuditOutcome {
  readonly bundle: string;
  readonly report: string;
  readonly verdict: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly code: string; readonly where: string; readonly message: string }[];
}

type Verdict = Pick<AuditOutcome, 'verdict' | 'counts' | 'findings'>;

export async function auditJob({ folder, auditorConfig, rosterHash }: Founded, job: string): Promise<AuditOutcome> {
  const bundle = join(folder, `${job}.bundle`);
  const report = join(folder, `${job}.html`);
  await command('audit', ['export', job, '--out', bundle, '--config', auditorConfig]);
  await command('audit', ['report', job, '--out', report, '--config', auditorConfig]);
  // Neither configuration nor network: the file and the hash that every hospital has pinned.
  const said = await command('audit', ['verify', bundle, '--roster-hash', rosterHash, '--json']);
  const { verdict, counts, findings } = JSON.parse(said) as Verdict;
  return { bundle, report, verdict, counts, findings };
}

export function showAudit(screen: Screen, { verdict, counts, findings }: AuditOutcome, rosterHash: string): void {
  const of = (name: string, what: string): string => `${String(counts[name] ?? 0)} ${what}`;
  screen.say(
    `Audit, offline, from the exported bundle and the roster hash ${rosterHash.slice(0, 16)}… alone: ${verdict}`,
  );
  screen.say(
    `  ${of('entries', 'log entries')}, ${of('signatures', 'signatures')}, ${of('cosignatures', 'cosignatures')}, ${of('rounds', 'rounds')}, ${of('transcripts', 'transcripts')}, ${of('acks', 'Acks')};`,
  );
  screen.say(
    `  ${of('openings', 'opened secrets')}, ${of('fingerprints', 'fingerprints')}, ${of('coordinates', 'coordinates unmasked again')}, every model from the first to the last`,
  );
  for (const { code, where, message } of findings) screen.say(`  ${code}  ${where}: ${message}`);
}
