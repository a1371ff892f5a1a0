// docs/errors.md holds exactly the codes of all registries, and no registry is forgotten.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CHAPTERS, renderErrors } from '../../tools/errors-doc.js';

const ROOTS = ['src', 'silo-agent', 'coordinator', 'auditor', 'certs', 'tools'];
const page = readFileSync('docs/errors.md', 'utf8');
const codes = ERROR_CHAPTERS.flatMap((chapter) => Object.keys(chapter.codes));

/** Files that define a registry, and how many each one defines. */
function definitions(): Map<string, number> {
  const found = new Map<string, number>();
  for (const root of ROOTS)
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      const count = readFileSync(path, 'utf8').match(/[^n] defineErrors\(/g)?.length ?? 0;
      if (count > 0) found.set(path, count);
    }
  return found;
}

describe('docs/errors.md', () => {
  it('is what `npm run gen` writes', () => {
    expect(page).toBe(renderErrors());
  });

  it('holds exactly the codes of all registries', () => {
    const listed = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    expect(listed).toStrictEqual(codes);
  });

  it('is made from every registry in the tree', () => {
    const found = definitions();
    // The search itself works: it sees the registry that everybody knows.
    expect(found.get('src/protocol/rejection.ts')).toBe(1);
    expect([...found.keys()].sort()).toStrictEqual(ERROR_CHAPTERS.map((chapter) => chapter.source).sort());
    for (const [path, count] of found) expect(`${path}: ${count}`).toBe(`${path}: 1`);
  });

  it('names files that exist', () => {
    expect(ERROR_CHAPTERS.filter((chapter) => !existsSync(chapter.source))).toStrictEqual([]);
  });
});

describe('error codes', () => {
  it('are defined once', () => {
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toStrictEqual([]);
  });

  it('have the form that travels over the wire', () => {
    expect(codes.filter((code) => !/^[a-z][a-z0-9-]{0,31}\/[a-z][a-z0-9-]{0,63}$/.test(code))).toStrictEqual([]);
  });

  it('say what they mean', () => {
    const meanings = ERROR_CHAPTERS.flatMap((chapter) => Object.entries(chapter.codes));
    expect(meanings.filter(([, text]) => text.trim().length < 15)).toStrictEqual([]);
  });
});
