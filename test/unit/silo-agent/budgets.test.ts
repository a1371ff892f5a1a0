// Privacy budgets from the lines of a configuration to what the agent does with a plan, for each unit and each kind of noise.

import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSelf } from '../../../silo-agent/start.js';
import { readAgentConfig } from '../../../src/config/index.js';
import { accountOf, type SiloPolicy, type Unit } from '../../../src/protocol/index.js';
import type { JobManifest } from '../../../src/wire/index.js';
import { agentYaml, found, type Founded } from '../../support/e2e/founding.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

let founded: Founded;

beforeAll(async () => {
  founded = await found({ silos: 3 });
});

afterAll(() => rm(founded.folder, { recursive: true, force: true }));

/** What the agent makes of such a budget for the data set of the consortium in memory. */
async function policyWith(budget: string): Promise<SiloPolicy> {
  const [silo] = founded.silos;
  const yaml = agentYaml(founded, { silo: silo!, port: 1, queries: { records: 'SELECT 1' } });
  const asked = yaml.replace('graph: complete }', `graph: complete, privacy: { dataSets: { records: ${budget} } } }`);
  expect(asked).not.toBe(yaml);
  const path = founded.at('budget.yaml');
  await writeFile(path, asked);
  return (await loadSelf(await readAgentConfig(path))).policy;
}

/** Two rounds of DP-SGD, 5 steps each on a batch of 16 of at least 400. */
const dpSgd = (of: 'patient' | 'record'): Partial<JobManifest> => ({
  roundLimit: 2,
  privacy: { epsilon: 3, delta: 1e-5 },
  unitNoise: {
    unitColumn: of === 'patient' ? 'patient_id' : '',
    clip: 1,
    noise: 2.2,
    batch: 16,
    minUnits: 400n,
    steps: 5,
  },
});

async function run(budget: string, manifest: Partial<JobManifest>) {
  const consortium = new MemoryConsortium(4, { manifest, policy: await policyWith(budget) });
  consortium.run();
  const [silo] = consortium.silos;
  return {
    status: consortium.job.status,
    codes: new Set(silo!.rejections.map(({ code }) => code)),
    account: accountOf(silo!.state, 'records', 0.5),
  };
}

describe('a budget in a configuration', () => {
  it.each<[string, Unit]>([
    ['{ epsilon: 8, delta: 0.00001 }', 'silo'],
    ['{ epsilon: 8, delta: 0.00001, unit: silo }', 'silo'],
    ['{ epsilon: 8, delta: 0.00001, unit: patient }', 'patient'],
    ['{ epsilon: 8, delta: 0.00001, unit: record }', 'record'],
  ])('%s is one for each %s', async (budget, unit) => {
    const { budgets } = await policyWith(budget);
    expect(budgets).toEqual(new Map([['records', { epsilon: 8, delta: 1e-5, unit, withoutNoise: false }]]));
  });

  it.each<[Unit, 'patient' | 'record']>([
    ['patient', 'patient'],
    ['record', 'record'],
    ['record', 'patient'],
  ])('for each %s lets rounds of DP-SGD for each %s pass, and counts them for that unit', async (unit, of) => {
    const { status, codes, account } = await run(`{ epsilon: 800, delta: 0.00001, unit: ${unit} }`, dpSgd(of));
    expect([...codes]).toEqual([]);
    expect(status).toBe('completed');
    expect(account).toMatchObject({ unit, roundsWithNoise: 2, roundsWithoutNoise: 0 });
    expect(account.spent).toBeGreaterThan(0);
  });

  it.each<[Unit, 'patient' | 'record']>([
    ['silo', 'patient'],
    ['silo', 'record'],
    ['patient', 'record'],
  ])('for each %s refuses rounds of DP-SGD for each %s, whose noise says nothing of it', async (unit, of) => {
    const { status, codes, account } = await run(`{ epsilon: 800, delta: 0.00001, unit: ${unit} }`, dpSgd(of));
    expect(codes).toContain('plan/without-noise');
    expect(status).not.toBe('completed');
    expect(account).toMatchObject({ unit, roundsWithNoise: 0, roundsWithoutNoise: 0 });
  });

  it('for each patient is a limit also where rounds without noise are allowed', async () => {
    const small = '{ epsilon: 0.01, delta: 0.00001, unit: patient, withoutNoise: allow }';
    const limited = await run(small, dpSgd('patient'));
    expect(limited.codes).toContain('plan/budget');
    expect(limited.account).toMatchObject({ spent: 0, roundsWithNoise: 0, roundsWithoutNoise: 0 });
    // What says nothing of a patient is then counted as without noise.
    const records = await run(small, dpSgd('record'));
    expect(records.status).toBe('completed');
    expect(records.account).toMatchObject({ spent: 0, left: 0.01, roundsWithNoise: 0, roundsWithoutNoise: 2 });
  });
});
