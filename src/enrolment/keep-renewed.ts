// A member's certificate while its program runs: fetched anew at two thirds of its life, tried again until it is there, written to the
// files that the configuration names, and warned of when it ends soon. The program only says what to do with new material.

import type { Clock, Rng } from '../base/index.js';
import { LIMITS, utf8 } from '../base/index.js';
import type { SigningKey } from '../crypto/index.js';
import {
  certificatesIn,
  createRequest,
  expiryOf,
  type ExpiryState,
  type Identity,
  type TlsFiles,
  type TlsPaths,
  writeBundle,
} from '../pki/index.js';
import { readSmallFile, writeFileDurably } from '../system/index.js';
import { renew } from './client.js';
import type { Endpoint } from './endpoint.js';

export interface KeepRenewedOptions {
  readonly consortium: string;
  readonly identity: Identity;
  readonly key: SigningKey;
  readonly tls: TlsFiles;
  readonly paths: TlsPaths;
  /** Undefined: nobody is asked; the bundle is replaced by hand and only watched here. */
  readonly endpoint: Endpoint | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Puts what `tls` now holds to use. */
  readonly use: () => void;
  readonly onRenewed: (notAfter: number) => void;
  /** The next try follows by itself. */
  readonly onFailed: (error: unknown) => void;
  /** Once for each state from `expiring` on. */
  readonly onExpiring: (state: ExpiryState, leftMs: number) => void;
}

/** The clock may be set, and files be replaced: nobody sleeps for longer. */
const LONGEST_SLEEP_MS = 600_000;
const SHORTEST_SLEEP_MS = 250;
/** Tries between two thirds of the life and its end: about fifteen, the first ones soon. */
const TRIES = 15;

/** Until the returned function is called. */
export function keepRenewed(options: KeepRenewedOptions): () => void {
  const { tls, clock, rng, endpoint } = options;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let warned: ExpiryState = 'fresh';
  const look = async (): Promise<void> => {
    let expiry = expiryOf(tls.leafPem, clock.now());
    let failed = false;
    if (endpoint !== undefined && expiry.state !== 'fresh') {
      failed = !(await tried(options, endpoint));
      expiry = expiryOf(tls.leafPem, clock.now());
    }
    if (expiry.state !== warned && !['fresh', 'due'].includes(expiry.state))
      options.onExpiring(expiry.state, expiry.leftMs);
    warned = expiry.state;
    if (stopped) return;
    const untilDue = expiry.renewAt - clock.now();
    // Jitter, so that all members of a consortium do not come at once.
    const pause =
      failed || untilDue <= 0 ? (expiry.lifeMs / 3 / TRIES) * (0.5 + (rng.bytes(1)[0] ?? 0) / 255) : untilDue;
    timer = setTimeout(next, Math.min(LONGEST_SLEEP_MS, Math.max(SHORTEST_SLEEP_MS, Math.ceil(pause))));
    timer.unref();
  };
  const next = (): void => {
    void look();
  };
  next();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function tried(options: KeepRenewedOptions, endpoint: Endpoint): Promise<boolean> {
  const { consortium, identity, key, tls, paths, clock } = options;
  try {
    const made = await createRequest(consortium, identity);
    const { chainPem, authoritiesPem } = await renew({ consortium, identity, tls: tls.current }, key, made, endpoint);
    // Who counts first: the new certificate may come from an authority that is not known yet.
    await writeAuthorities(paths.ca, authoritiesPem);
    const [certificatePem = '', ...issuers] = certificatesIn(chainPem);
    const parts = { certificatePem, authorityPem: issuers.join(''), privateKeyPem: made.privateKeyPem };
    await writeBundle(paths.bundle, parts, { replace: true });
    // At once, not when somebody looks at the files next: a certificate may live for less.
    if (await tls.refresh()) options.use();
    options.onRenewed(expiryOf(tls.leafPem, clock.now()).notAfter);
    return true;
  } catch (error) {
    options.onFailed(error);
    return false;
  }
}

async function writeAuthorities(path: string, authoritiesPem: string): Promise<void> {
  const present = new TextDecoder().decode(await readSmallFile(path, LIMITS.certificateBytes));
  if (present !== authoritiesPem) await writeFileDurably(path, utf8(authoritiesPem));
}
