// veilsum-audit job create: the manifest of a job file, signed by the operator and offered to its silos.

import type { Command } from 'commander';
import { equalBytes, hex } from '../../src/base/index.js';
import { readJobFile } from '../../src/config/index.js';
import { cohortSizes, explainManifest } from '../../src/job/index.js';
import type { Manifest } from '../../src/protocol/index.js';
import { badAnswer } from '../checked-round.js';
import { makeJob, type NewJob } from '../new-job.js';
import { withSession, type GlobalOptions, type Session, type World } from '../session.js';
import { printFacts, printJson, type Terminal } from '../terminal.js';
import { kindWord } from '../words.js';

interface Options extends GlobalOptions {
  readonly model?: string;
  readonly dryRun?: boolean;
}

export function addJobCreate(job: Command, world: World): void {
  job
    .command('create')
    .description('build the manifest of a job file, sign it, upload its model and offer it to its silos')
    .argument('<jobfile>', 'job file in YAML; docs/samples/job-train.yaml is one')
    .option('--model <file>', 'forward model in ONNX, instead of the one that the job file names')
    .option('--dry-run', 'show what the silos would be asked to approve, and offer nothing')
    .action(async (path: string, _options: object, command: Command) => {
      // Commander knows options by name only; these are the ones declared above and in program.ts.
      const options = command.optsWithGlobals<Options>();
      await withSession(world, options, async (session) => {
        const made = await makeJob(session, await readJobFile(path), options.model);
        if (options.dryRun === true) explain(world.terminal, made, options.json === true);
        else {
          await offer(session, made, world);
          announce(world.terminal, made, options.json === true);
        }
      });
    });
}

async function offer({ client }: Session, { manifest, model }: NewJob, { signal, terminal }: World): Promise<void> {
  if (model !== undefined) {
    terminal.note(`uploading the model, ${String(model.bytes.length)} bytes`);
    const { blob } = await client.putBlob(() => once(model.bytes), signal);
    if (blob === undefined || !equalBytes(blob.sha256, model.blob.sha256) || blob.size !== model.blob.size)
      throw badAnswer('the coordinator stored other bytes than the model that was sent.');
  }
  const { jobId, manifestHash } = await client.createJob({ manifest: manifest.envelope }, signal);
  if (jobId !== manifest.jobId || !equalBytes(manifestHash, manifest.hash))
    throw badAnswer(`offered job "${manifest.jobId}", the coordinator confirms "${jobId}" with another manifest.`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function announce(terminal: Terminal, made: NewJob, json: boolean): void {
  const { manifest } = made;
  const approve = `veilsum-agent job approve ${hex(manifest.hash)}`;
  if (json) {
    printJson(terminal, { ...factsJson(made), approveWith: approve });
    return;
  }
  terminal.print(`Job ${manifest.jobId} is offered to ${String(manifest.silos.length)} silos.`);
  printFacts(terminal, facts(made));
  terminal.print('');
  terminal.print('The operator of each silo reads it with `veilsum-agent job show`, and approves this hash:');
  terminal.print(`  ${approve}`);
  terminal.print(
    'Compare the hash over another channel. The job starts when enough silos have approved and are there:',
  );
  terminal.print(`  ${cohortWords(manifest)}`);
}

function explain(terminal: Terminal, made: NewJob, json: boolean): void {
  const { manifest } = made;
  // Floors that lower nothing: the manifest's own are shown.
  const policy = { minCohort: manifest.minCohort, minHonest: 2, maxMalicious: manifest.maxMalicious };
  const sections = explainManifest(manifest.message, { manifestHash: manifest.hash, policy });
  if (json) {
    printJson(terminal, { ...factsJson(made), offered: false, explanation: sections });
    return;
  }
  for (const { title, lines } of sections) {
    terminal.print(title, 'heading');
    for (const line of lines) terminal.print(`  ${line}`);
  }
  terminal.print('');
  terminal.print('Nothing was offered: --dry-run.');
}

function facts({ manifest, model }: NewJob): [string, string][] {
  return [
    ['kind', kindWord(manifest.message.kind)],
    ['manifest hash', hex(manifest.hash)],
    ['silos', manifest.silos.join(', ')],
    ...(model === undefined
      ? []
      : ([
          ['model (SHA-256)', hex(model.blob.sha256)],
          ['parameters', String(model.parameterCount)],
          ['first model hash', hex(manifest.initialModelHash)],
        ] satisfies [string, string][])),
  ];
}

function factsJson({ manifest, model }: NewJob) {
  return {
    job: manifest.jobId,
    kind: kindWord(manifest.message.kind),
    manifestHash: hex(manifest.hash),
    silos: manifest.silos,
    initialModelHash: hex(manifest.initialModelHash),
    modelSha256: model === undefined ? null : hex(model.blob.sha256),
    parameterCount: model?.parameterCount ?? null,
    offered: true,
  };
}

function cohortWords({ silos, maxMalicious, minCohort, graph }: Manifest): string {
  const sizes = cohortSizes({ silos: silos.length, maxMalicious, minCohort, minHonest: 2, graph });
  const list = sizes.map((size) => String(size.silos)).join(', ');
  return `a round takes ${list} of its ${String(silos.length)} silos; a silo's own policy may ask for more.`;
}
