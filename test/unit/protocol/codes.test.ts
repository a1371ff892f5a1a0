// Every code of the protocol's registry is demanded by name in a test beside this one, or its reason for not being reached is here.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_ERRORS } from '../../../src/protocol/index.js';

/** Codes that no sequence of messages can bring about, with the reason why the check stays. */
const UNREACHED: Record<string, string> = {};

const here = import.meta.dirname;
const tests = readdirSync(here)
  .filter((name) => name.endsWith('.test.ts') && name !== 'codes.test.ts')
  .map((name) => readFileSync(`${here}/${name}`, 'utf8'))
  .join('\n');

describe('the registry of refusals', () => {
  for (const code of Object.keys(PROTOCOL_ERRORS))
    it(`has ${code} tested by name${code in UNREACHED ? ', or knows why it cannot be' : ''}`, () => {
      expect(tests.includes(`'${code}'`)).toBe(!(code in UNREACHED));
    });

  it('lists no reason for a code that does not exist', () => {
    for (const code of Object.keys(UNREACHED)) expect(Object.keys(PROTOCOL_ERRORS)).toContain(code);
  });
});
