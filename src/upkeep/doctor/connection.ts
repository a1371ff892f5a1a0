// The way to the other side, one step after the other, so that the first one that fails names what is in the way: DNS, proxy, TCP, TLS,
// and whether the other side took our certificate.

import { lookup } from 'node:dns/promises';
import { connect as connectHttp2 } from 'node:http2';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { type Proxy, NetworkError, openSocket, splitAddress } from '../../network/index.js';
import { identityFromCertificate, type TlsTexts } from '../../pki/index.js';
import { systemClock } from '../../system/index.js';
import { compareClocks } from './clock.js';
import { failed, type Finding, ok } from './finding.js';

const STEP_MS = 10_000;

export interface Way {
  readonly address: string;
  readonly serverName?: string | undefined;
  readonly proxy: Proxy | undefined;
  readonly consortium: string;
  readonly tls: TlsTexts;
  /** Compare the clock with the coordinator's: no authority can be asked. */
  readonly clock: boolean;
}

/** Ends with the first step that fails. At the end of the way the clocks are compared, where `clock` asks for it. */
export async function checkWay(way: Way): Promise<Finding[]> {
  const { address, proxy } = way;
  const { host } = splitAddress(proxy?.address ?? address);
  const findings: Finding[] = [];
  try {
    const { address: found } = await lookup(host);
    findings.push(ok('dns', `${host} is ${found}`));
  } catch {
    return [failed('dns', `${host} has no address`, 'Check the spelling, and the DNS server of this machine.')];
  }
  try {
    const socket = await openSocket({ address, proxy, timeoutMs: STEP_MS });
    findings.push(
      proxy === undefined
        ? ok('connection', `TCP to ${address}`)
        : ok('proxy', `${proxy.address} connects to ${address}`),
    );
    findings.push(...(await checkTls(way, socket)));
  } catch (cause) {
    if (!(cause instanceof NetworkError)) throw cause;
    findings.push(failed(proxy === undefined ? 'connection' : 'proxy', cause.message, cause.remedy));
  }
  return findings;
}

/** An HTTP/2 server speaks first, so the first byte says that it took the certificate: TLS 1.3 alone would not. */
function checkTls(way: Way, socket: Awaited<ReturnType<typeof openSocket>>): Promise<Finding[]> {
  const { address, serverName, consortium, tls } = way;
  const host = serverName ?? splitAddress(address).host;
  return new Promise((resolve) => {
    let fault: string | undefined;
    // Of the first word: what comes later is of another step, and does not take it back.
    const settle = (): void => {
      clearTimeout(timer);
      connection.off('error', onError).off('close', onClose);
      // Whatever still breaks here: nobody waits for it.
      connection.on('error', () => undefined);
    };
    const end = (...findings: Finding[]): void => {
      settle();
      connection.destroy();
      resolve(findings);
    };
    const onError = ({ message }: Error): void => {
      end(failed('tls', `${address}: ${fault ?? message}`, remedyFor(fault, message)));
    };
    const onClose = (): void => {
      end(failed('tls', `${address} closed the connection`, 'The coordinator’s log says why.'));
    };
    const connection: TLSSocket = connect({
      socket,
      ca: tls.authorityPem,
      cert: tls.chainPem,
      key: tls.privateKeyPem,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      checkServerIdentity: (_host, certificate) => {
        const wrong = checkServerIdentity(host, certificate);
        const identity = identityFromCertificate(certificate.raw, consortium, systemClock.now());
        fault = wrong?.message ?? (identity.ok ? undefined : identity.error.message);
        if (identity.ok && identity.value.role !== 'coordinator') fault ??= `it is ${identity.value.uri}`;
        return fault === undefined ? undefined : new Error(fault);
      },
    });
    const timer = setTimeout(() => {
      end(
        failed(
          'tls',
          `${address} says nothing`,
          'Something on the way swallows TLS: ask for a rule that passes it through.',
        ),
      );
    }, STEP_MS);
    // Not `data`: what is taken from the connection is missing to whoever speaks HTTP/2 on it.
    const onReadable = (): void => {
      if (connection.readableLength === 0) return;
      connection.off('readable', onReadable);
      settle();
      const taken = ok('tls', `the coordinator of ${consortium} took this certificate`);
      void (way.clock ? timeOf(connection, address) : Promise.resolve([])).then((clock) => {
        connection.destroy();
        resolve([taken, ...clock]);
      });
    };
    connection.on('readable', onReadable);
    connection.on('error', onError);
    connection.on('close', onClose);
  });
}

/** Every answer says when it was given, also to a question that is none. Nothing where no answer comes. */
function timeOf(connection: TLSSocket, address: string): Promise<Finding[]> {
  return new Promise((resolve) => {
    const before = systemClock.now();
    const session = connectHttp2(`https://${address}`, { createConnection: () => connection });
    const give = (findings: Finding[]): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(findings);
    };
    const none = (): void => {
      give([]);
    };
    const timer = setTimeout(none, STEP_MS);
    session.on('error', none);
    session.once('close', none);
    // A session that has ended by now has no streams any more: it says `close`.
    if (session.closed || session.destroyed) return;
    const stream = session.request({
      ':method': 'POST',
      ':path': '/',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', none);
    stream.once('close', none);
    stream.once('response', ({ date }) => {
      const theirs = Date.parse(String(date));
      give(Number.isNaN(theirs) ? [] : [compareClocks(theirs, 'the coordinator’s', before)]);
    });
    stream.end();
  });
}

function remedyFor(fault: string | undefined, message: string): string {
  // Whoever does not speak HTTP/2 says so before it shows a certificate.
  if (fault !== undefined || /application protocol/i.test(message))
    return 'Check coordinator.address and serverName: who answers there is not this consortium’s coordinator.';
  if (/self[- ]signed|unable to (get|verify)/i.test(message))
    return 'Its certificate is not of an authority in tls.ca: either tls.ca is old, or a proxy ends TLS, which it must pass through.';
  if (/expired|not yet valid/i.test(message))
    return 'Compare the clocks; if they agree, the coordinator’s certificate has ended.';
  return 'Ask the consortium whether this certificate is accepted, and whether something on the way changes TLS.';
}
