// What the configuration's `connection` makes of the limits of both ends.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCoordinatorConfig } from '../../../src/config/index.js';
import {
  CLIENT_LIMITS,
  PATIENCE_LEAST_SECONDS,
  patientClient,
  patientServer,
  SERVER_LIMITS,
} from '../../../src/transport/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilsum-patience-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function configured(connection: string) {
  const path = join(folder, 'coordinator.yaml');
  await writeFile(
    path,
    `consortium: c
state: state
listen: 127.0.0.1:0
tls: { bundle: b, ca: a }
keys: { signing: s, storage: t }
roster: { file: r }
${connection}`,
  );
  return (await readCoordinatorConfig(path)).connection;
}

describe('patience', () => {
  it('is the usual limits unless the configuration says otherwise', async () => {
    const usual = await configured('');
    expect({ ...CLIENT_LIMITS, ...patientClient(usual) }).toEqual(CLIENT_LIMITS);
    expect({ ...SERVER_LIMITS, ...patientServer(usual) }).toEqual(SERVER_LIMITS);
  });

  it('lets nothing count as dead before it ends', async () => {
    const patient = await configured('connection: { keepaliveSeconds: 7, patienceSeconds: 600 }\n');
    for (const limits of [patientClient(patient), patientServer(patient)]) {
      expect(limits.keepaliveMs).toBe(7_000);
      expect(limits.keepaliveTimeoutMs).toBe(600_000);
      expect(limits.stallMs).toBeGreaterThanOrEqual(600_000);
    }
    expect(patientClient(patient).silenceMs).toBe(600_000);
    expect(patientServer(patient).handshakeMs).toBeGreaterThan(SERVER_LIMITS.handshakeMs);
    expect(patientServer(patient).callMs?.unary).toBeGreaterThanOrEqual(patientClient(patient).unaryMs ?? NaN);
  });

  it('is refused when one late heartbeat would end a stream', async () => {
    await expect(
      configured(`connection: { patienceSeconds: ${String(PATIENCE_LEAST_SECONDS - 1)} }\n`),
    ).rejects.toThrow(`connection.patienceSeconds: expected a whole number from ${String(PATIENCE_LEAST_SECONDS)}`);
  });
});
