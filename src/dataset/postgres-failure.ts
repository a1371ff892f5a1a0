// What a PostgreSQL server or the way to it did wrong, in our words. The server's own text may quote records, so of it only the five
// characters of SQLSTATE are told.

import { DataSetError } from './errors.js';

/** By SQLSTATE, or by its first two characters. */
const ABOUT: ReadonlyMap<string, string> = new Map([
  ['42601', 'it is not one SELECT, or not valid SQL'],
  ['42P01', 'it names a table that is not there'],
  ['42703', 'it names a column that is not there'],
  ['42883', 'it names a function that is not there, or has operands of the wrong type'],
  ['57014', 'the server stopped it, since it took too long or somebody cancelled it'],
  ['22', 'a value cannot be converted to the type that the query asks for'],
  ['53', 'the server has no more memory, disk or connections for it'],
  ['54', 'it is larger than the server takes'],
]);

/** SQLSTATE of a write in a read-only transaction; of what a cursor cannot be declared for. */
const WRITES = new Set(['25006', '42P11', '0A000']);

/** SQLSTATE of a query with parameters, for which none come. */
const PARAMETERS = '08P01';

/** Any error of pg becomes a DataSetError; one that is already is passed on. */
export function databaseFailure(name: string, cause: unknown): DataSetError {
  if (cause instanceof DataSetError) return cause;
  const code = codeOf(cause);
  if (/^[0-9A-Z]{5}$/.test(code) && isServerError(cause)) return ofServer(name, code);
  const tls = /CERT|SSL|TLS|SIGNATURE|ISSUER|CHAIN/.test(code) || saysNoTls(cause);
  if (tls)
    return new DataSetError(
      'dataset/database-refused',
      `data set ${name}: no TLS connection that can be trusted (${code === '' ? 'the server offers none' : code}).`,
      'identity',
    );
  if (saysNoPassword(cause)) return refused(name, 'it asks for a password, none is configured');
  return unreachable(name, code === '' ? 'the connection ended or gave no answer in time' : code);
}

function ofServer(name: string, code: string): DataSetError {
  const kind = code.slice(0, 2);
  if (kind === '28') return refused(name, `user or password are not accepted (${code})`);
  if (code === '3D000') return refused(name, `there is no such database (${code})`);
  if (code === '42501') return refused(name, `the user may not read what the query names (${code})`);
  if (code === PARAMETERS)
    return new DataSetError('dataset/query-refused', `the query of data set ${name}: it has parameters (${code}).`);
  if (kind === '08' || /^57P0/.test(code)) return unreachable(name, code);
  if (WRITES.has(code))
    return new DataSetError(
      'dataset/query-refused',
      `the query of data set ${name}: it is not one SELECT that only reads (${code}).`,
    );
  const about = ABOUT.get(code) ?? ABOUT.get(kind) ?? 'it failed';
  return new DataSetError('dataset/query-failed', `the query of data set ${name}: ${about} (${code}).`);
}

function refused(name: string, why: string): DataSetError {
  return new DataSetError('dataset/database-refused', `the database of data set ${name} refuses: ${why}.`, 'identity');
}

function unreachable(name: string, why: string): DataSetError {
  return new DataSetError(
    'dataset/database-unreachable',
    `the database of data set ${name} cannot be reached (${why}).`,
    'unavailable',
  );
}

/** Errors of the server carry a severity, those of sockets do not. */
function isServerError(cause: unknown): boolean {
  return cause instanceof Error && 'severity' in cause;
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  // Several addresses of one host were tried in vain.
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

/** pg has no codes for these two. */
function saysNoTls(cause: unknown): boolean {
  return cause instanceof Error && /does not support SSL/.test(cause.message);
}

function saysNoPassword(cause: unknown): boolean {
  return cause instanceof Error && /client password must be/i.test(cause.message);
}
