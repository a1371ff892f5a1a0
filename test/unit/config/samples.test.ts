// The samples in docs/ are what people copy, so each must be read as it stands.

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  readAgentConfig,
  readAuthorityConfig,
  readClientConfig,
  readCoordinatorConfig,
  readJobFile,
  readRosterFile,
  rosterFromFile,
} from '../../../src/config/index.js';
import { buildManifest } from '../../../src/job/index.js';
import { decode, encode, Roster } from '../../../src/wire/index.js';

const folder = 'docs/samples';
const READERS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'agent.yaml': readAgentConfig,
  'authority.yaml': readAuthorityConfig,
  'client.yaml': readClientConfig,
  'coordinator.yaml': readCoordinatorConfig,
  'coordinators.yaml': readCoordinatorConfig,
  'job-statistics.yaml': readJobFile,
  'job-train.yaml': readJobFile,
  'roster.yaml': readRosterFile,
};

describe('the samples', () => {
  it('are all known to this test', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(READERS));
  });

  it.each(Object.entries(READERS))('%s is read', async (file, read) => {
    await expect(read(`${folder}/${file}`)).resolves.toBeDefined();
  });

  it('of an agent has paths next to the file and the defaults it says it has', async () => {
    const agent = await readAgentConfig(`${folder}/agent.yaml`);
    expect(agent.state).toBe(resolve(folder, 'state/hospital-a'));
    expect(agent.roster.hash).toHaveLength(32);
    expect(agent.policy).toEqual({
      minCohort: 5,
      minHonest: 3,
      maxMalicious: 1,
      allowSmallCohort: false,
      roundsPerDay: 1_000,
      maxModelBytes: 67_108_864,
      maxParameters: 10_000_000,
      smallCells: 5,
      statistics: [{ dataSet: 'wdbc', columns: 'all-declared', minimumRows: 30 }],
      differencing: 'warn',
      graph: 'complete',
      minimumHoldout: 20,
      privacy: { dataSets: {} },
    });
  });

  it('of a roster becomes the message of the wire, members in order', async () => {
    const roster: Roster = rosterFromFile(await readRosterFile(`${folder}/roster.yaml`));
    expect(decode(Roster, 'roster', encode(Roster, roster))).toEqual(roster);
    expect(roster.members.map(({ tlsIdentityUri }) => tlsIdentityUri)).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((silo) => `spiffe://breast-cancer-study/silo/hospital-${silo}`),
    );
    expect(roster.governance?.successorQuorum).toBe(4);
    expect(roster.members[0]?.validUntilUnixMs).toBe(BigInt(Date.UTC(2028, 0, 1)) - 1n);
  });

  it('of a job become manifests', async () => {
    const hash = new Uint8Array(32).fill(1);
    const facts = { rosterHash: hash, initialModelHash: hash };
    const statistics = await readJobFile(`${folder}/job-statistics.yaml`);
    expect(buildManifest(statistics, facts).roundLimit).toBe(1);
    const model = { blob: { sha256: hash, size: 1n }, parameterCount: 3 };
    const training = await readJobFile(`${folder}/job-train.yaml`);
    expect(buildManifest(training, { ...facts, model, statisticsResultHash: hash }).timeouts).toMatchObject({
      maskMs: 1_200_000,
      shareMs: 60_000,
    });
  });
});
