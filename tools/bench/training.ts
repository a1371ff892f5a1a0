// What a step of training costs, family by family, against PyTorch on one thread of the same machine, in turns; and what a whole round of an
// agent costs beside its steps. PyTorch is Debian's python3-torch, where that is installed: without it there are no families to train.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { defaultLoss, initialParameters, readForwardModel, type LossKind } from '../../src/model/index.js';
import { createTrainer, type Table, type Trainer } from '../../src/trainer/index.js';

export interface TrainingRow {
  readonly family: string;
  readonly parameters: number;
  readonly batch: number;
  /** Milliseconds of a step: batch, forward, backward, SGD with momentum. */
  readonly ownMs: number;
  readonly torchMs: number;
}

export interface TrainingFigures {
  /** Version. */
  readonly torch: string;
  readonly rows: readonly TrainingRow[];
}

interface Family {
  readonly name: string;
  readonly file: string;
  readonly batch: number;
  readonly columns: number;
  readonly loss: LossKind;
  /** 0 for outcomes 0 and 1. */
  readonly classes: number;
  /** 0 for real inputs. */
  readonly words: number;
  readonly parameters: number;
}

const PYTHON = '/usr/bin/python3';
const SCRIPT = 'tools/parity/speed.py';
/** Seconds that each side trains in one turn, about. */
const TURN_SECONDS = 0.2;

/** Undefined where PyTorch is not installed. */
export async function measureTraining(
  turns: number,
  progress: (what: string) => void,
): Promise<TrainingFigures | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-bench-'));
  try {
    const torch = await Torch.start(folder);
    if (torch === undefined) return undefined;
    const rows: TrainingRow[] = [];
    for (const family of torch.families) {
      progress(`training: ${family.name}`);
      rows.push(await measureFamily(family, torch, turns));
    }
    await torch.stop();
    return { torch: torch.version, rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureFamily(family: Family, torch: Torch, turns: number): Promise<TrainingRow> {
  const model = new Uint8Array(await readFile(family.file));
  await using trainer = await createTrainer({ model, loss: defaultLoss(family.loss) });
  const own = await ownSide(trainer, model, family);
  // One step each to compile and to warm up, then as many as fill a turn.
  await own(1);
  await torch.train(family.name, 1);
  const first = await own(3);
  const steps = Math.max(3, Math.round((3 * TURN_SECONDS) / first));
  const least = { own: Infinity, torch: Infinity };
  for (let turn = 0; turn < turns; turn++) {
    least.own = Math.min(least.own, (await own(steps)) / steps);
    least.torch = Math.min(least.torch, (await torch.train(family.name, steps)) / steps);
  }
  const { name, batch, parameters } = family;
  return { family: name, parameters, batch, ownMs: 1000 * least.own, torchMs: 1000 * least.torch };
}

async function ownSide(
  trainer: Trainer,
  model: Uint8Array,
  { batch, columns, classes, words }: Family,
): Promise<(steps: number) => Promise<number>> {
  const parameters = initialParameters(readForwardModel(model));
  const features = Float32Array.from({ length: batch * columns }, (_, i) =>
    words > 0 ? (i * 7919) % words : Math.sin(i * 12.9898),
  );
  const targets = Float32Array.from({ length: batch }, (_, i) => i % Math.max(2, classes));
  const table: Table = { rows: batch, columns, features, targets };
  await trainer.prepare(batch);
  return async (steps) => {
    const begun = performance.now();
    await trainer.train({
      parameters,
      table,
      recipe: {
        batchSize: batch,
        duration: { kind: 'steps', steps },
        optimiser: { kind: 'sgd', momentum: 0.9 },
        learningRate: 1e-3,
      },
      seed: new Uint8Array(32),
    });
    return (performance.now() - begun) / 1000;
  };
}

type Lines = AsyncIterator<string, undefined>;

/** The script that trains the same families in PyTorch. */
class Torch {
  readonly version: string;
  readonly families: readonly Family[];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Lines;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    lines: Lines,
    listed: { readonly torch: string; readonly families: readonly Family[] },
  ) {
    this.#child = child;
    this.#lines = lines;
    this.version = listed.torch;
    this.families = listed.families;
  }

  static async start(folder: string): Promise<Torch | undefined> {
    const environment = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    const child = spawn(PYTHON, [SCRIPT, folder], { env: environment });
    child.on('error', () => undefined);
    const lines: Lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) return undefined;
    return new Torch(child, lines, JSON.parse(first.value) as { torch: string; families: Family[] });
  }

  /** Seconds. */
  async train(family: string, steps: number): Promise<number> {
    this.#child.stdin.write(`${family} ${String(steps)}\n`);
    const answer = await this.#lines.next();
    return Number(answer.value);
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}
