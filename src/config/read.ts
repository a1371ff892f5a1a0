// From a file to a checked object: size, YAML, schema, in that order, and every bad field reported at once.

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { LIMITS } from '../base/index.js';
import { ConfigError, type ConfigProblem } from './errors.js';

/** A schema for a file in `folder`, against which its relative paths are resolved. */
export type SchemaIn<T> = (folder: string) => z.ZodType<T>;

/** Throws ConfigError. */
export async function readConfig<T>(path: string, schemaIn: SchemaIn<T>): Promise<T> {
  const file = resolve(path);
  const value = parseYaml(file, await readText(file));
  const result = schemaIn(dirname(file)).safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(problemsOf);
  const list = problems.map(({ path: at, problem }) => `\n  ${at === '' ? 'file' : at}: ${problem}`).join('');
  throw new ConfigError('config/invalid', `${file} has ${String(problems.length)} bad fields:${list}`, problems);
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new ConfigError('config/unreadable', `${file}: ${reason}.`);
  }
  if (bytes.length > LIMITS.configBytes)
    throw new ConfigError(
      'config/too-large',
      `${file} has ${String(bytes.length)} bytes, at most ${String(LIMITS.configBytes)} are read.`,
    );
  return new TextDecoder('utf-8').decode(bytes);
}

/** YAML 1.2: dates stay text, `yes` and `no` too. Repeated keys are errors. */
function parseYaml(file: string, text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true, prettyErrors: false, logLevel: 'error' });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new ConfigError('config/not-yaml', `${file}, line ${String(line)}, column ${String(col)}: ${problem.code}.`);
  }
  try {
    return document.toJS();
  } catch {
    throw new ConfigError('config/not-yaml', `${file}: its aliases cannot be resolved.`);
  }
}

function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = issue.path.map(String).join('.');
  // `strict` in fields.ts writes one line per unknown key.
  if (issue.code === 'unrecognized_keys') return issue.message.split('\n').map((problem) => ({ path, problem }));
  // In a map whose key is bad the reason is one level down.
  if (issue.code === 'invalid_key') return [{ path, problem: issue.issues.map(({ message }) => message).join(', ') }];
  return [{ path, problem: issue.message }];
}
