// Kinds of fields that several files share.

import { resolve } from 'node:path';
import { z } from 'zod';
import { fromHex, isName } from '../base/index.js';
import { nearest } from './nearest.js';

/** An object that refuses unknown keys and names the nearest known one for each. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownKey(key, known)).join('\n') : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const match = nearest(key, known);
  return `unknown key "${key}"; ${match === undefined ? `known are ${known.join(', ')}` : `did you mean ${match}?`}`;
}

export const name = z
  .string()
  .refine(isName, { error: 'expected lower-case letters, digits and inner hyphens, at most 63' });

/** A path, made absolute against the folder of the file it stands in. */
export function pathIn(folder: string): z.ZodType<string> {
  return z
    .string()
    .min(1, { error: 'expected a path' })
    .transform((path) => resolve(folder, path));
}

const HEX_32 = 'expected 64 lower-case hexadecimal digits, in quotes where YAML would take them for a number';

/** Exactly 32 bytes as 64 lower-case hexadecimal digits: hashes and Ed25519 keys. */
export const bytes32 = z.string({ error: HEX_32 }).transform((text, context) => {
  const bytes = fromHex(text);
  if (bytes?.length === 32) return bytes;
  context.issues.push({ code: 'custom', message: HEX_32, input: text });
  return z.NEVER;
});

/** `host:port`, `[::1]:port` for IPv6. Port 0 (any free one) only where a program listens. */
export function address(lowestPort: 0 | 1): z.ZodType<string> {
  return z.string().refine(
    (text) => {
      const port = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(text)?.[1];
      return port !== undefined && Number(port) >= lowestPort && Number(port) <= 65_535;
    },
    { error: 'expected host:port' },
  );
}

/** Threads of one program: more than any machine gains by, since memory and disk are shared. */
export const THREADS_MAX = 64;

export function whole(low: number, high: number): z.ZodNumber {
  const error = `expected a whole number from ${String(low)} to ${String(high)}`;
  return z.number({ error }).int({ error }).min(low, { error }).max(high, { error });
}

export const finite = z.number({ error: 'expected a finite number' });

export function tls(folder: string) {
  return strict({
    /** Certificate chain and private key in one file, replaced as a whole when it is renewed. */
    bundle: pathIn(folder),
    /** The consortium's authority. */
    ca: pathIn(folder),
  });
}

export const dialled = strict({
  address: address(1),
  /** Name in the coordinator's certificate, when it is not the host of the address. */
  serverName: z.string().min(1).optional(),
});

export function log(folder: string) {
  return strict({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
    /** Standard error unless given. */
    file: pathIn(folder).optional(),
  }).default({ level: 'info' });
}

export function pinnedRoster(folder: string) {
  return strict({ file: pathIn(folder), hash: bytes32 });
}

/** The HTTP proxy through which this machine reaches the world. The environment's proxy variables are not obeyed. */
export function proxy(folder: string) {
  return strict({
    address: address(1),
    /** A file (mode 0600) with `user:password`. */
    credentials: pathIn(folder).optional(),
  });
}

const KEEPALIVE_LEAST_SECONDS = 5;
/** At least two heartbeats of the other end (PATIENCE_LEAST_SECONDS of src/transport). */
const PATIENCE_LEAST_SECONDS = 30;
const CONNECTION_SECONDS_MAX = 3_600;

/** How connections are kept and when they count as dead, in seconds. */
export const connection = () =>
  strict({
    /** Between two signs of life: shorter than what firewalls on the way take to forget a quiet connection. */
    keepaliveSeconds: whole(KEEPALIVE_LEAST_SECONDS, CONNECTION_SECONDS_MAX).default(30),
    /** Without a sign of life for this long the other end counts as gone. */
    patienceSeconds: whole(PATIENCE_LEAST_SECONDS, CONNECTION_SECONDS_MAX).default(45),
  }).prefault({});

/** Where OpenTelemetry traces go, as OTLP over HTTP; nowhere unless given. */
export const traces = () =>
  strict({
    endpoint: z.url({
      protocol: /^https?$/,
      error: 'expected the URL of an OTLP collector, http://collector:4318/v1/traces',
    }),
  }).optional();
