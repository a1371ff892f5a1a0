// A command's way to the coordinator: configuration, pinned roster, who this is, and the connection.

import { isCodedError, isoTime } from '../src/base/index.js';
import { readClientConfig, type ClientConfig } from '../src/config/index.js';
import { readProxy } from '../src/network/index.js';
import { certificatesIn, inspectCertificate, readTlsFiles } from '../src/pki/index.js';
import { followChain, type Roster } from '../src/protocol/index.js';
import { systemClock, systemRng } from '../src/system/index.js';
import type { AdminClient, ConnectOptions } from '../src/transport/index.js';
import { AuditError } from './errors.js';
import { allSuccessors } from './lists.js';
import { readRosterBin } from './roster-file.js';
import type { Terminal } from './terminal.js';

/** What a command has of the world; tests bring their own. */
export interface World {
  readonly terminal: Terminal;
  readonly connect: (options: ConnectOptions) => AdminClient;
  /** Aborts when the person at the keyboard wants an end. */
  readonly signal: AbortSignal;
}

/** Options of the program, which stand before or behind those of a command. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface Officer {
  readonly role: 'operator' | 'auditor';
  readonly id: string;
}

export interface Session {
  readonly client: AdminClient;
  readonly config: ClientConfig;
  /**
   * The one in force: what the coordinator shows as the successors of the pinned one, with the signatures of their predecessors' members.
   * Verifies with the implementation of Ed25519 that silos and coordinator do not use.
   */
  readonly roster: Roster;
  /** Who the certificate says this is. */
  readonly officer: Officer;
}

/** A person waits: three tries of fifteen seconds, not the minutes of an agent. */
const PATIENCE = { triesMax: 3, unaryMs: 15_000, backoffCapMs: 2_000 };

/** The path, or what to do about there being none. */
export function demandConfig(path: string | undefined): string {
  if (path === undefined) throw new AuditError('audit/no-config', 'expected the option --config FILE, got none.');
  return path;
}

/** Throws what is wrong with the files before anything is dialled; an unreachable coordinator becomes `audit/unreachable`. */
export async function withSession<T>(
  { connect, signal }: World,
  { config: path }: GlobalOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const config = await readClientConfig(demandConfig(path));
  const pinned = await readPinnedRoster(config);
  const tls = await readTlsFiles(config.tls);
  const officer = officerOf(tls.chainPem, config);
  const { address, serverName } = config.coordinator;
  const client = connect({
    address,
    serverName,
    proxy: await readProxy(config.proxy),
    consortium: config.consortium,
    tls,
    clock: systemClock,
    rng: systemRng,
    limits: PATIENCE,
  });
  try {
    const rosters = await allSuccessors(client, pinned.epoch, signal);
    return await work({ client, config, roster: followChain(pinned, { rosters }), officer });
  } catch (cause) {
    if (!isCodedError(cause) || cause.category !== 'unavailable' || cause.code === 'transport/cancelled') throw cause;
    throw new AuditError(
      'audit/unreachable',
      `expected an answer of the coordinator at ${address}, got none: ${cause.message}`,
      cause,
    );
  } finally {
    client.close();
  }
}

async function readPinnedRoster({ roster: { file, hash }, consortium }: ClientConfig): Promise<Roster> {
  const roster = await readRosterBin(file, hash);
  if (roster.consortiumId !== consortium)
    throw new AuditError(
      'audit/wrong-consortium',
      `the configuration is for consortium "${consortium}", ${file} is the roster of "${roster.consortiumId}".`,
    );
  return roster;
}

function officerOf(chainPem: string, { consortium, tls }: ClientConfig): Officer {
  const facts = inspectCertificate(certificatesIn(chainPem)[0] ?? '');
  const { identity, notAfter } = facts;
  if (identity === undefined || (identity.role !== 'operator' && identity.role !== 'auditor'))
    throw new AuditError(
      'audit/no-identity',
      `expected a certificate of an operator or auditor in ${tls.bundle}, it names ${facts.names.join(', ') || 'nobody'}.`,
    );
  if (facts.consortium !== consortium)
    throw new AuditError(
      'audit/wrong-consortium',
      `the configuration is for consortium "${consortium}", the certificate in ${tls.bundle} for "${facts.consortium ?? ''}".`,
    );
  if (notAfter < systemClock.now())
    throw new AuditError(
      'audit/expired-certificate',
      `the certificate in ${tls.bundle} ended at ${isoTime(notAfter)}.`,
    );
  return { role: identity.role, id: identity.id };
}
