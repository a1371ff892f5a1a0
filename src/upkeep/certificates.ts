// A running program's TLS files: looked at every few seconds for what people put there, renewed by itself where an authority is
// configured, and every change in the log.

import { isoTime, unixMs } from '../base/index.js';
import type { SigningKey } from '../crypto/index.js';
import { keepRenewed } from '../enrolment/index.js';
import { type ProxyFields, readProxy } from '../network/index.js';
import { type Identity, keepFresh, type TlsFiles, type TlsPaths } from '../pki/index.js';
import { systemClock, systemRng } from '../system/index.js';
import { errorFields, type Log } from '../telemetry/index.js';

export interface KeepCertificatesOptions {
  /** What the configurations of both programs have in common. */
  readonly config: {
    readonly consortium: string;
    readonly tls: TlsPaths;
    readonly authority?: { readonly address: string; readonly serverName?: string | undefined } | undefined;
    readonly proxy?: ProxyFields | undefined;
  };
  readonly identity: Identity;
  readonly key: SigningKey;
  readonly tls: TlsFiles;
  readonly log: Log;
  /** Puts what `tls` now holds to use; what it throws is logged, and what was in use stays. */
  readonly use: () => void;
}

/** Until the returned function is called. Throws what `readProxy` throws. */
export async function keepCertificates(options: KeepCertificatesOptions): Promise<() => void> {
  const { config, identity, key, tls, log, use } = options;
  const kept = (cause: unknown): void => {
    log.error('certificate.kept', errorFields(cause));
  };
  const taken = (): void => {
    use();
    log.info('certificate.reloaded');
  };
  const stopLooking = keepFresh({ file: tls, onTaken: taken, onKept: kept });
  const endpoint =
    config.authority === undefined ? undefined : { ...config.authority, proxy: await readProxy(config.proxy) };
  const stopRenewing = keepRenewed({
    consortium: config.consortium,
    identity,
    key,
    tls,
    paths: config.tls,
    endpoint,
    clock: systemClock,
    rng: systemRng,
    use: taken,
    onRenewed: (notAfter) => {
      log.info('certificate.renewed', { until: isoTime(unixMs(notAfter)) });
    },
    onFailed: (error) => {
      log.warn('certificate.not-renewed', errorFields(error));
    },
    onExpiring: (state, leftMs) => {
      const fields = { state, hours: Math.floor(leftMs / 3_600_000) };
      if (state === 'expiring') log.warn('certificate.expiring', fields);
      else log.error('certificate.expiring', fields);
    },
  });
  return () => {
    stopLooking();
    stopRenewing();
  };
}
