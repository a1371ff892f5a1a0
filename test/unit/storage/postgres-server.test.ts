// The support for tests that need PostgreSQL: a server that really is one, can go away and come back, and keeps what it committed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, PostgresServer } from '../../support/postgres.js';

describe.skipIf(!hasPostgres())('a PostgreSQL server for tests', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  afterAll(() => server.stop());

  it('asks for its password and keeps what was committed when it is halted and started again', async () => {
    const database = await server.database();
    const client = await server.client(database);
    await client.query('CREATE TABLE kept (value int)');
    await client.query('INSERT INTO kept VALUES (7)');
    await server.halt();
    await expect(client.query('SELECT 1')).rejects.toThrow();
    await server.restart();
    const again = await server.client(database);
    expect((await again.query('SELECT value FROM kept')).rows).toEqual([{ value: 7 }]);
    await again.end();
  });
});
