// veilsum-audit export: the trained model, or everything that an audit of the job needs; written whole or not at all.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { hex, LIMITS, utf8 } from '../../src/base/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { readSmallFile, SystemError, writeFileDurably } from '../../src/system/index.js';
import type { StatisticsReport } from '../../src/job/index.js';
import { JobKind } from '../../src/wire/index.js';
import { fetchReport } from '../checked-statistics.js';
import { printStatistics } from '../print-statistics.js';
import { demandModel } from '../checked-model.js';
import { BundleCollector } from '../bundle/collect.js';
import { writeBundleFile } from '../bundle/file.js';
import { badAnswer, fetchManifest, type CheckedRound } from '../checked-round.js';
import { AuditError } from '../errors.js';
import { gather } from '../gather.js';
import { withSession, type GlobalOptions, type Session, type World } from '../session.js';
import { printFacts, printJson } from '../terminal.js';

interface Options extends GlobalOptions {
  readonly out: string;
  readonly verify?: string;
  readonly force?: boolean;
}

const BUNDLE_ENDING = '.bundle';

export function addExport(program: Command, world: World): void {
  program
    .command('export')
    .description('write the trained model of a job, the figures of a statistics job, or the audit bundle of either')
    .argument('<job>', 'name of the job')
    .requiredOption('--out <file>', 'where it goes; a name that ends in .bundle gets the audit bundle')
    .option(
      '--verify <forward.onnx>',
      'the model the job was made with: check that its silos have acknowledged this result',
    )
    .option('--force', 'replace a file that is already there')
    .action(async (jobId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      demandFree(options);
      if (options.out.endsWith(BUNDLE_ENDING)) {
        await exportBundle(world, options, jobId);
        return;
      }
      const { bytes, round, statistics, local } = await withSession(world, options, async (session) => {
        const { client, roster } = session;
        const figures = await statisticsOf(session, jobId);
        if (figures !== undefined) return { ...figures, round: undefined, local: [] };
        const given = await gather(client.exportModel({ jobId, state: false }, world.signal), LIMITS.modelBytes);
        if (given === undefined)
          throw badAnswer(`a model has at most ${String(LIMITS.modelBytes)} bytes, more than that came.`);
        const manifest = await fetchManifest(client, roster, jobId);
        const { local } = manifest.message;
        if (options.verify === undefined) return { bytes: given, round: undefined, statistics: undefined, local };
        const forward = await readSmallFile(options.verify, LIMITS.modelBytes);
        const round = await demandModel(session, manifest, forward, given);
        return { bytes: given, round, statistics: undefined, local };
      });
      await writeFileDurably(options.out, bytes, { replace: options.force === true });
      if (statistics === undefined) tell(world, options, jobId, bytes, round, local);
      else tellStatistics(world, options, jobId, bytes, statistics);
    });
}

/** Undefined for a job that has a model. */
async function statisticsOf(
  session: Session,
  jobId: string,
): Promise<{ readonly bytes: Uint8Array; readonly statistics: StatisticsReport } | undefined> {
  const { client, roster } = session;
  const { job } = await client.getJob({ jobId });
  if (job?.kind !== JobKind.JOB_KIND_STATISTICS) return undefined;
  const { report, resultHash } = await fetchReport(session, await fetchManifest(client, roster, jobId));
  const text = JSON.stringify({ job: jobId, resultHash: hex(resultHash), ...report }, null, 2);
  return { bytes: utf8(`${text}\n`), statistics: report };
}

/** Figures are only ever written after everything that vouches for them was checked. */
function tellStatistics(
  { terminal }: World,
  { out, json }: Options,
  jobId: string,
  bytes: Uint8Array,
  statistics: StatisticsReport,
): void {
  if (json === true) {
    printJson(terminal, {
      job: jobId,
      file: resolve(out),
      bytes: bytes.length,
      sha256: hex(sha256(bytes)),
      statistics,
    });
    return;
  }
  printStatistics(terminal, statistics);
  terminal.print('');
  printFacts(terminal, [['figures as JSON', resolve(out)]]);
}

async function exportBundle(world: World, options: Options, jobId: string): Promise<void> {
  const { out, json, verify } = options;
  if (verify !== undefined)
    throw new AuditError('audit/bundle-option', '--verify compares a model; this exports a bundle.');
  const collected = await withSession(world, options, async ({ client, config }) => {
    const roster = await readSmallFile(config.roster.file, LIMITS.manifestBytes);
    return writeBundleFile(out, (writer) => new BundleCollector(client, writer, world.signal).collect(jobId, roster));
  });
  const { terminal } = world;
  if (json === true) {
    printJson(terminal, { job: jobId, file: resolve(out), ...collected });
    return;
  }
  printFacts(terminal, [
    ['bundle of job', jobId],
    ['file', resolve(out)],
    ['entries of the log', String(collected.entries)],
    ['rounds', String(collected.rounds)],
    ['checked', 'no: veilsum-audit verify FILE --roster-hash HASH does that, without a network'],
  ]);
}

/** Before anything is fetched: the file must not be lost, and neither the time. */
function demandFree({ out, force }: Options): void {
  if (force === true || !existsSync(out)) return;
  throw new SystemError('system/exists', `${out} is already there`, {
    remedy: 'Choose another file, or --force to replace it.',
  });
}

function tell(
  { terminal }: World,
  { out, json }: Options,
  jobId: string,
  bytes: Uint8Array,
  round: CheckedRound | undefined,
  local: readonly string[],
): void {
  const digest = hex(sha256(bytes));
  if (json === true) {
    const verified = round === undefined ? null : { round: round.plan.round, resultHash: hex(round.resultHash) };
    printJson(terminal, { job: jobId, file: resolve(out), bytes: bytes.length, sha256: digest, verified, local });
    return;
  }
  printFacts(terminal, [
    ['model of job', jobId],
    ['file', resolve(out)],
    ['bytes', String(bytes.length)],
    ['SHA-256', digest],
    ...(local.length === 0
      ? []
      : [['local', `${local.join(', ')}: as the job began; each hospital has its own, which it keeps`] as const]),
    [
      'verified',
      round === undefined
        ? 'no: with --verify FORWARD.onnx it is compared with what the silos have acknowledged'
        : `the silos have acknowledged these parameters as the result of round ${String(round.plan.round)}`,
    ],
  ]);
}
