// What the journal of an agent says, read beside the agent that may be writing it: for commands that show and change nothing.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig } from '../src/config/index.js';
import { initialSiloState, replaySilo, type SiloSelf, type SiloState } from '../src/protocol/index.js';
import { Journal, openStorageKey, Sealer, type JournalRecord } from '../src/storage/index.js';
import { JOURNAL } from './agent.js';
import { journalMismatch } from './errors.js';

/** The state as of now; that of an agent that has seen nothing where there is no journal yet. Throws as the start of an agent does. */
export async function readSiloState(config: Pick<AgentConfig, 'state' | 'keys'>, self: SiloSelf): Promise<SiloState> {
  let state = initialSiloState(self);
  for await (const { bytes, sequence } of readRecords(config, JOURNAL)) {
    const done = replaySilo(state, bytes);
    if (!done.ok) throw journalMismatch(sequence, done.error);
    state = done.value;
  }
  return state;
}

/** Records of one of its journals; none where there is no journal yet. */
export async function* readRecords(
  config: Pick<AgentConfig, 'state' | 'keys'>,
  name: string,
): AsyncGenerator<JournalRecord> {
  const path = join(config.state, 'journal');
  if (!existsSync(join(path, 'data.mdb'))) return;
  const sealer = Sealer.derive(await openStorageKey(config.keys.storage), 'agent-journal');
  const journal = await Journal.open({ path, sealer, readOnly: true });
  try {
    yield* journal.readAll(name);
  } finally {
    await journal.close();
  }
}
