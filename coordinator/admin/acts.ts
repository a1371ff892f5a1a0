// The one door of the admin API: every act of an operator, every export and every read goes through `recorded`. Acts and exports are
// written to a journal of their own before they take effect or before their first byte leaves; a read is let through, because whoever
// watches a job would fill any disk. What else should become of an act (an entry of a log, say) is added here and nowhere else.

import { LIMITS } from '../../src/base/index.js';
import type { AdminCaller, AdminHandlers } from '../../src/transport/index.js';
import type { Envelope } from '../../src/wire/index.js';
import { AdminError } from './errors.js';
import type { AdminSource } from './source.js';

type Name = keyof AdminHandlers;
export type ActKind = 'act' | 'export' | 'read';

export const ACT_KINDS: Readonly<Record<Name, ActKind>> = {
  putBlob: 'act',
  createJob: 'act',
  giveOrder: 'act',
  exportModel: 'export',
  exportSum: 'export',
  exportArtefact: 'export',
  listOrders: 'read',
  listJobs: 'read',
  getJob: 'read',
  listRounds: 'read',
  getRound: 'read',
  watchRounds: 'read',
  getParticipation: 'read',
  listSilos: 'read',
  getSilo: 'read',
  getServerInfo: 'read',
  listActs: 'read',
  getCheckpoint: 'read',
  listEntries: 'read',
  getInclusionProof: 'read',
  getConsistencyProof: 'read',
};

type Recorder = Pick<AdminSource, 'acts' | 'now'>;
type AnyHandler = (caller: AdminCaller, request: unknown, signal: AbortSignal) => unknown;

/** The same handlers, each behind the door. */
export function recorded(recorder: Recorder, handlers: AdminHandlers): AdminHandlers {
  const wrapped = Object.entries(ACT_KINDS).map(([name, kind]): [string, AnyHandler] => {
    // Names and handlers are of one type, which a generic walk cannot say.
    const handle = (handlers as unknown as Record<string, AnyHandler>)[name]?.bind(handlers) as AnyHandler;
    return [name, kind === 'read' ? handle : behind(recorder, name, kind, handle)];
  });
  return Object.fromEntries(wrapped) as unknown as AdminHandlers;
}

function behind(recorder: Recorder, name: string, kind: ActKind, handle: AnyHandler): AnyHandler {
  const keep = (caller: AdminCaller, request: unknown): Promise<void> => record(recorder, caller, name, request);
  if (kind === 'act')
    return async (caller, request, signal) => {
      await keep(caller, request);
      return handle(caller, request, signal);
    };
  return (caller, request, signal) => {
    // What cannot be exported is refused first, and nothing is written.
    const bytes = handle(caller, request, signal) as AsyncIterable<Uint8Array>;
    return (async function* () {
      await keep(caller, request);
      yield* bytes;
    })();
  };
}

async function record({ acts, now }: Recorder, caller: AdminCaller, name: string, request: unknown): Promise<void> {
  const { about, signed } = told(request);
  const written = await acts.append({
    version: 1,
    atUnixMs: BigInt(now()),
    actor: `${caller.role}/${caller.id}`,
    method: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    about,
    signed,
  });
  if (!written)
    throw new AdminError(
      'admin/acts-full',
      `${String(LIMITS.actRecords)} acts are written down, and there is no room for more.`,
    );
}

/** Characters of a value that are kept: names have at most 63. */
const VALUE_CHARACTERS = 80;

/** The names and numbers in a request, and the signed message in it. An upload's bytes are named by what they become: see PutBlob's answer. */
function told(request: unknown): { about: Record<string, string>; signed: Envelope | undefined } {
  const about: Record<string, string> = {};
  let signed: Envelope | undefined;
  if (typeof request !== 'object' || request === null || Symbol.asyncIterator in request) return { about, signed };
  for (const [field, value] of Object.entries(request)) {
    if (typeof value === 'string' && value !== '') about[wordOf(field)] = value.slice(0, VALUE_CHARACTERS);
    else if (typeof value === 'number') about[wordOf(field)] = String(value);
    else if (isEnvelope(value)) signed = value;
  }
  return { about, signed };
}

function wordOf(field: string): string {
  return field === 'jobId' ? 'job' : field;
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'payload' in value && 'signature' in value;
}
