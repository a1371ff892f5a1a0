// A resolved configuration for people to look at: defaults filled in, paths absolute. It may end up in a ticket, so where secrets lie
// and how records are queried is left out.

import { stringify } from 'yaml';
import { hex } from '../base/index.js';

const WITHHELD = '(withheld)';

/** Paths by which a field is withheld: key files, the file with the TLS key, and every query. */
const SECRET =
  /^(keys\..*|tls\.bundle|proxy\.credentials|database\.(password|passfile|key)|database\.objects\.s3\.credentials|dataSets\..*\.(query|postgres\.url|postgres\.passwordFile|postgres\.tls\.key))$/;

/** YAML. */
export function printConfig(config: object): string {
  return stringify(redacted(config, ''));
}

function redacted(value: unknown, path: string): unknown {
  if (SECRET.test(path)) return WITHHELD;
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map((item, i) => redacted(item, `${path}.${String(i)}`));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, redacted(field, path === '' ? key : `${path}.${key}`)]));
}
