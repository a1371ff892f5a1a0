// The admin API is read by people who have nothing but its .proto: every method, field and value says what it is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Lines that declare something without a comment right above them. */
function undocumented(proto: string): string[] {
  const lines = proto.split('\n');
  return lines.filter((line, k) => {
    const declares = /^\s+(rpc \w+|(repeated )?[\w.]+(<\w+, \w+>)? \w+ = \d+;|[A-Z_]+ = \d+;)/.test(line);
    return declares && !/^\s*(\/\/|oneof )/.test(lines[k - 1] ?? '');
  });
}

it('every method, field and value of the admin API is documented', () => {
  const proto = readFileSync(join(import.meta.dirname, '../../../proto/veilsum/v1/admin.proto'), 'utf8');
  const bare = undocumented(proto).map((line) => line.trim());
  expect(bare).toEqual([]);
  expect(proto.match(/^ {2}rpc /gm)!.length).toBeGreaterThan(20);
  // What is planted is found.
  expect(undocumented(`${proto}\nmessage Planted {\n  string bare = 1;\n}\n`)).toContain('  string bare = 1;');
});
