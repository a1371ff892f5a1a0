// A founded consortium at work: coordinator, agents and one job, until its last round is over.

import type { ChildProcess } from 'node:child_process';
import { readClientConfig } from '../../src/config/index.js';
import { readTlsFiles } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectAdmin, type AdminClient } from '../../src/transport/index.js';
import { found, makeJob, usualMasking, writeConfigs, type Founded, type Masking } from './founding.js';
import { Coordinator, startHosts, stopAll, type Measurement } from './processes.js';
import { followRounds, type RoundTimes } from './rounds.js';

export interface ConsortiumOptions {
  /** The usual one unless given. */
  readonly masking?: Masking;
  readonly silos: number;
  readonly rounds: number;
  /** Parameters of the model, about. */
  readonly dimension: number;
  /** m; what the manifest chooses where undefined. */
  readonly bits: number | undefined;
  /** Processes that the agents share. */
  readonly processes: number;
  /** Folder for processor profiles of the coordinator and one process of agents. */
  readonly profile?: string;
}

export interface Told {
  /** Once the coordinator listens, before any agent is there. */
  onIdle(idle: Measurement, startedMs: number): void;
  onOffered(parameters: number, bits: number): void;
  onRound(round: RoundTimes, coordinator: Coordinator): Promise<void>;
}

export interface Ran {
  readonly idle: Measurement;
  readonly end: Measurement;
  readonly parameters: number;
}

/** Runs all rounds in `folder`, which stays. Rejects when the job ends otherwise than completed. */
export async function runConsortium(
  folder: string,
  options: ConsortiumOptions,
  told: Told,
  signal: AbortSignal,
): Promise<Ran> {
  const founded = await found(folder, options.silos);
  const { coordinator, port, startedMs } = await Coordinator.start(founded.at('coordinator.yaml'), options.profile);
  const children: ChildProcess[] = [coordinator.child];
  try {
    const masking = options.masking ?? usualMasking(options.silos);
    await writeConfigs(founded, port, 'files', masking);
    const idle = await coordinator.measure();
    told.onIdle(idle, startedMs);
    const configs = founded.silos.map((silo) => founded.at(`${silo}.yaml`));
    children.push(...(await startHosts(configs, options.processes, options.profile)));
    const client = await connectOperator(founded);
    const { dimension, rounds, bits: modulusBits } = options;
    const job = await makeJob(founded, { dimension, rounds, modulusBits }, masking);
    await client.putBlob(() => chunks(job.model));
    await client.createJob({ manifest: job.manifest });
    told.onOffered(job.parameters, job.bits);
    await followRounds(client, (round) => told.onRound(round, coordinator), signal);
    client.close();
    return { idle, end: await coordinator.measure(), parameters: job.parameters };
  } finally {
    await stopAll(children);
  }
}

async function connectOperator({ at }: Founded): Promise<AdminClient> {
  const { coordinator, tls, consortium } = await readClientConfig(at('operator.yaml'));
  return connectAdmin({
    address: coordinator.address,
    serverName: coordinator.serverName,
    tls: await readTlsFiles(tls),
    consortium,
    clock: systemClock,
    rng: systemRng,
  });
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 1024 ** 2;
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
