// The metrics of a running program and their port, when the configuration names one.

import { splitAddress } from '../network/index.js';
import { expiryOf, type TlsFiles } from '../pki/index.js';
import { systemClock } from '../system/index.js';
import { Metrics, type MetricsServer, type Sources, startMetricsServer } from '../telemetry/index.js';

export function metricsOf(tls: TlsFiles, sources: Omit<Sources, 'certificateNotAfter' | 'now'>): Metrics {
  return new Metrics({
    ...sources,
    certificateNotAfter: () => expiryOf(tls.leafPem, systemClock.now()).notAfter,
    now: () => systemClock.now(),
  });
}

/** Well is who has a certificate that others accept; everything else mends itself or is in the log. */
export async function serveMetrics(
  listen: string | undefined,
  metrics: Metrics,
  tls: TlsFiles,
): Promise<MetricsServer | undefined> {
  if (listen === undefined) return undefined;
  return startMetricsServer({
    ...splitAddress(listen),
    metrics,
    health: () => {
      const { state, leftMs } = expiryOf(tls.leafPem, systemClock.now());
      return {
        ok: state !== 'expired',
        detail: { certificate: state, certificateHours: Math.floor(leftMs / 3_600_000) },
      };
    },
  });
}
