// The one door of the admin API: every act of an operator, every export and every read goes through `recorded`. Acts and exports are
// written to a journal of their own before they take effect or before their first byte leaves. What auditors are told of it stands in the
// transparency log, too: manifests and orders as they were signed, each object that is handed out, and for what an auditor reads one entry
// for each job and hour, because whoever watches a job would fill any disk.

import { LIMITS, type JobId, type UnixMs } from '../../src/base/index.js';
import type { AdminCaller, AdminHandlers } from '../../src/transport/index.js';
import {
  Artefact,
  decode,
  JobManifest,
  Order,
  type Envelope,
  type ExportArtefactRequest,
  type ExportModelRequest,
  type PutBlobResponse,
} from '../../src/wire/index.js';
import { AdminError } from './errors.js';
import type { AdminSource, NotedAct } from './source.js';

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
  getLedger: 'read',
  listSilos: 'read',
  getSilo: 'read',
  getServerInfo: 'read',
  listActs: 'read',
  getCheckpoint: 'read',
  listEntries: 'read',
  getInclusionProof: 'read',
  getConsistencyProof: 'read',
};

/** Reads that are no act of their own: the log itself, which everybody may read, and what says nothing of a job. */
const PUBLIC: ReadonlySet<Name> = new Set([
  'listActs',
  'getServerInfo',
  'getCheckpoint',
  'listEntries',
  'getInclusionProof',
  'getConsistencyProof',
]);

type Recorder = Pick<AdminSource, 'acts' | 'now' | 'note' | 'state'>;
type AnyHandler = (caller: AdminCaller, request: unknown, signal: AbortSignal) => unknown;

/** The same handlers, each behind the door. */
export function recorded(recorder: Recorder, handlers: AdminHandlers): AdminHandlers {
  const notes = new Notes(recorder);
  const wrapped = Object.entries(ACT_KINDS).map(([key, kind]): [string, AnyHandler] => {
    const name = key as Name;
    // Names and handlers are of one type, which a generic walk cannot say.
    const handle = (handlers as unknown as Record<string, AnyHandler>)[name]?.bind(handlers) as AnyHandler;
    return [name, kind === 'read' ? noticed(notes, name, handle) : behind(recorder, notes, name, kind, handle)];
  });
  return Object.fromEntries(wrapped) as unknown as AdminHandlers;
}

/** A read: an auditor's is noted in the log. */
function noticed(notes: Notes, name: Name, handle: AnyHandler): AnyHandler {
  if (PUBLIC.has(name)) return handle;
  if (name === 'watchRounds')
    return (caller, request, signal) => {
      const updates = handle(caller, request, signal) as AsyncIterable<unknown>;
      return (async function* () {
        await notes.read(caller, request);
        yield* updates;
      })();
    };
  return async (caller, request, signal) => {
    await notes.read(caller, request);
    return handle(caller, request, signal);
  };
}

function behind(recorder: Recorder, notes: Notes, name: Name, kind: ActKind, handle: AnyHandler): AnyHandler {
  const keep = (caller: AdminCaller, request: unknown): Promise<void> => record(recorder, caller, name, request);
  if (kind === 'act')
    return async (caller, request, signal) => {
      await keep(caller, request);
      const answer = await handle(caller, request, signal);
      if (name === 'putBlob') await notes.stored(caller, answer as PutBlobResponse);
      return answer;
    };
  return (caller, request, signal) => {
    // What cannot be exported is refused first, and nothing is written.
    const bytes = handle(caller, request, signal) as AsyncIterable<Uint8Array>;
    return (async function* () {
      await keep(caller, request);
      await notes.exported(caller, name, request);
      yield* bytes;
    })();
  };
}

const HOUR_MS = 3_600_000;

/** Entries of the transparency log about what was done here. */
class Notes {
  readonly #recorder: Recorder;
  /** When what was noted last, so that an hour has one entry of it. Empty after a restart: then there is one more. */
  readonly #noted = new Map<string, UnixMs>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Reads of operators are their work; those of auditors are what operators may want to know of. */
  async read(caller: AdminCaller, request: unknown): Promise<void> {
    if (caller.role !== 'auditor') return;
    const jobId = jobOf(request);
    // What is about no job that there is will be refused.
    if (jobId !== '' && this.#manifestOf(jobId) === undefined) return;
    await this.#once({ entry: 'auditor-read', subject: nameOf(caller), jobId, action: 'read', objects: [] });
  }

  async exported(caller: AdminCaller, name: Name, request: unknown): Promise<void> {
    const jobId = jobOf(request);
    const manifest = this.#manifestOf(jobId);
    if (manifest === undefined) return;
    const { round, action } = exportOf(name, request);
    await this.#recorder.note({
      entry: 'export',
      subject: nameOf(caller),
      jobId,
      ...(round > 0 ? { round } : {}),
      action,
      objects: [manifest],
    });
  }

  async stored(caller: AdminCaller, { blob }: PutBlobResponse): Promise<void> {
    if (blob === undefined) return;
    const act = { subject: nameOf(caller), jobId: '', action: 'put-blob', objects: [blob.sha256] };
    await this.#recorder.note({ entry: 'operator-action', ...act });
  }

  #manifestOf(jobId: string): Uint8Array | undefined {
    return this.#recorder.state().jobs.get(jobId as JobId)?.manifest.hash;
  }

  async #once(act: NotedAct): Promise<void> {
    const name = `${act.entry} ${act.subject} ${act.jobId}`;
    const now = this.#recorder.now();
    const last = this.#noted.get(name);
    if (last !== undefined && now - last < HOUR_MS) return;
    for (const [other, at] of this.#noted) if (now - at >= HOUR_MS) this.#noted.delete(other);
    await this.#recorder.note(act);
    this.#noted.set(name, now);
  }
}

const ARTEFACTS: Readonly<Partial<Record<Artefact, string>>> = {
  [Artefact.ARTEFACT_OPENED_SUM]: 'opened-sum',
  [Artefact.ARTEFACT_MASKED_SUM]: 'masked-sum',
  [Artefact.ARTEFACT_TRANSCRIPT]: 'transcript',
  [Artefact.ARTEFACT_RESULT]: 'result',
  [Artefact.ARTEFACT_MODEL_STATE]: 'model-state',
  [Artefact.ARTEFACT_MISSING_INPUT]: 'missing-input',
  [Artefact.ARTEFACT_FORWARD_MODEL]: 'forward-model',
};

/** What an export hands out, as the log calls it. */
function exportOf(name: Name, request: unknown): { readonly round: number; readonly action: string } {
  const asked = request as Partial<ExportModelRequest & ExportArtefactRequest>;
  if (name === 'exportModel') return { round: 0, action: asked.state === true ? 'export-model-state' : 'export-model' };
  const round = asked.round ?? 0;
  if (name === 'exportSum') return { round, action: 'export-opened-sum' };
  const artefact = asked.artefact ?? Artefact.ARTEFACT_UNSPECIFIED;
  // A masked input is one silo's: which one is said.
  const whose = artefact === Artefact.ARTEFACT_MISSING_INPUT ? `-of-${String(asked.index ?? 0)}` : '';
  return { round, action: `export-${ARTEFACTS[artefact] ?? 'object'}${whose}` };
}

function jobOf(request: unknown): string {
  const { jobId } = request as { readonly jobId?: unknown };
  return typeof jobId === 'string' ? jobId : '';
}

function nameOf({ role, id }: AdminCaller): string {
  return `${role}/${id}`;
}

async function record({ acts, now }: Recorder, caller: AdminCaller, name: string, request: unknown): Promise<void> {
  const { about, signed } = told(request);
  const written = await acts.append({
    version: 1,
    atUnixMs: BigInt(now()),
    actor: nameOf(caller),
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
  return { about: { ...about, ...(signed === undefined ? {} : saidBy(signed)) }, signed };
}

/** Which job a manifest makes, or what an order is and about what: nobody has looked at it yet, and it may be neither. */
function saidBy({ type, payload }: Envelope): Record<string, string> {
  try {
    if (type === 'manifest')
      return told({ jobId: decode(JobManifest, type, payload, LIMITS.manifestBytes).jobId }).about;
    const action = type === 'order' ? decode(Order, type, payload).action : undefined;
    return action === undefined ? {} : { order: action.$case, ...told(action.value).about };
  } catch {
    return {};
  }
}

function wordOf(field: string): string {
  return field === 'jobId' ? 'job' : field === 'siloId' ? 'silo' : field;
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'payload' in value && 'signature' in value;
}
