// What agents call: their directives, their messages, their uploads, and the objects they fetch.

import { defined, hex, isCodedError, LIMITS, type SiloId } from '../src/base/index.js';
import {
  demandNotDenied,
  directivesFor,
  indexIn,
  layoutOfRound,
  mayFetch,
  type CoordinatorRound,
  type RoundContext,
  demandSameProtocol,
  PROTOCOL_VERSION,
} from '../src/protocol/index.js';
import type { Log } from '../src/telemetry/index.js';
import { frameEntry, type CallerCertificate, type SiloHandlers } from '../src/transport/index.js';
import { packedBytes } from '../src/vector/index.js';
import {
  decode,
  MaskedHeader,
  type Directive,
  type ReadLogRequest,
  type SubmitRequest,
  type UploadTarget,
  type WatchRequest,
} from '../src/wire/index.js';
import { CoordinatorError } from './errors.js';
import { Refused } from './refused.js';
import type { ReadUpload } from './peers.js';
import type { CoordinatorService } from './service.js';
import { uploadName } from './store.js';

/** An upload is synced to disk after this many bytes, and at its end: what a broken connection costs at most. */
const SYNC_BYTES = 16 * 1024 * 1024;

const HEARTBEAT: Directive = {
  sequence: 0n,
  body: { $case: 'heartbeat', value: { protocolVersion: PROTOCOL_VERSION } },
};

export function siloHandlers(service: CoordinatorService, log: Log): SiloHandlers {
  const demand = (caller: SiloId): Promise<void> =>
    surely(service, () => {
      demandMember(service, caller);
    });
  async function* asMember<T>(caller: SiloId, give: () => AsyncIterable<T>): AsyncGenerator<T> {
    await demand(caller);
    yield* give();
  }
  return {
    watch: (caller, request, signal, certificate) =>
      asMember(caller, () => watch(service, caller, request, certificate, signal)),
    submit: async (caller, request) => {
      await demand(caller);
      try {
        return { receipt: await submit(service, caller, request) };
      } catch (error) {
        if (error instanceof Refused)
          log.warn('silo.message-refused', {
            silo: caller,
            type: request.envelope?.type.slice(0, 40),
            code: error.code,
            detail: error.message,
          });
        throw error;
      }
    },
    uploadMasked: async (caller, target, chunks) => {
      await demand(caller);
      return upload(service, caller, target, chunks);
    },
    uploadStatus: async (caller, request) => {
      await demand(caller);
      const { name } = await expectedUpload(service, caller, request.rid, request.attempt);
      return { durableBytes: BigInt((await service.store.uploads.upload(name)).durableOffset) };
    },
    getBlob: (caller, request) => asMember(caller, () => getBlob(service, caller, request.sha256, request.offset)),
    readLog: (caller, request) => asMember(caller, () => readLog(service, request)),
    proveLog: async (caller, { from, to }) => {
      await demand(caller);
      await demandEntries(service, from, to);
      return { hashes: service.store.log.consistency(Number(from), Number(to)) };
    },
  };
}

/** What one coordinator of several refuses may only want news that have not come to it yet: it looks for them before it says no. */
async function surely<T>(service: CoordinatorService, decide: () => T): Promise<T> {
  try {
    return decide();
  } catch (error) {
    if (!isCodedError(error)) throw error;
  }
  await service.newest();
  return decide();
}

/** The authority says who may connect, the roster who is a member, operators who is kept out: a certificate alone opens nothing. */
function demandMember(service: CoordinatorService, silo: SiloId): void {
  if (!service.self.roster.members.has(silo)) throw notAMember(silo);
  demandNotDenied(service.state, silo);
}

/** To a silo that the roster in force does not have, whether it never did or was removed. */
export function notAMember(silo: SiloId): CoordinatorError {
  return new CoordinatorError('coordinator/not-a-member', `the roster has no silo "${silo}".`, {
    category: 'membership',
  });
}

/** Sends what the state says this silo should know, then waits for it to change. Level-triggered: nothing is queued. */
async function* watch(
  service: CoordinatorService,
  silo: SiloId,
  { cursor: from, agentVersion, protocolVersion }: WatchRequest,
  certificate: CallerCertificate,
  signal: AbortSignal,
): AsyncGenerator<Directive> {
  demandSameProtocol(protocolVersion, 'agent');
  let cursor = from;
  let wake: () => void = () => undefined;
  const stop = service.onChange(() => {
    wake();
  });
  const onAbort = (): void => {
    wake();
  };
  signal.addEventListener('abort', onAbort);
  service.opened(silo, agentVersion, certificate);
  try {
    // Says at once that the stream is open: a silo for which there is nothing new must not take it for another failure, and wait longer
    // before it comes back each time.
    yield HEARTBEAT;
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      for (const directive of directivesFor(service.state, silo, service.missingInputs, cursor)) {
        yield directive;
        cursor = directive.sequence;
      }
      await changed;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop();
    service.closed(silo);
  }
}

async function submit(
  service: CoordinatorService,
  silo: SiloId,
  request: SubmitRequest,
): Promise<SubmitResponseReceipt> {
  const { envelope } = request;
  // What does not belong to a message would lie in the journal for ever.
  const ciphertexts = envelope?.type === 'share-header' ? request.ciphertexts : [];
  let computedRoot: Uint8Array = new Uint8Array();
  let upload: ReadUpload | undefined;
  let context: RoundContext | undefined;
  if (envelope?.type === 'masked-header') {
    const { t2 } = decode(MaskedHeader, 'masked-header', envelope.payload);
    let open = roundWithT2(service, t2);
    if (open === undefined) {
      // Another coordinator has told this silo of an attempt that is not known here yet.
      await service.newest();
      open = roundWithT2(service, t2);
    }
    // Sent again, or too late, it is answered from the state: neither the bytes nor their sum are needed once more.
    if (open !== undefined && takesInput(open, silo)) {
      context = open.attempt.context;
      ({ computedRoot, upload } = await rootOf(service, silo, open));
    }
  }
  const event = { $case: 'messageReceived', value: { siloId: silo, envelope, ciphertexts, computedRoot } } as const;
  const index = context === undefined ? undefined : indexIn(context.plan, silo);
  if (!service.leads && context !== undefined && index !== undefined)
    service.computation.took(context, index, computedRoot);
  const receipt = await service.feed(event, upload);
  if (context !== undefined && receipt !== undefined && isOpen(service, context))
    service.computation.inputArrived(context, defined(index, 'index of a member'));
  return receipt;
}

/** The phase may have ended between the receipt and now: a sum begun then would never be forgotten. */
function isOpen({ state }: CoordinatorService, { plan, attempt }: RoundContext): boolean {
  const open = state.jobs.get(plan.jobId)?.open?.attempt;
  return open?.context.attempt === attempt && open.phase === 'mask' && !open.closing;
}

function takesInput({ plan, attempt }: CoordinatorRound, silo: SiloId): boolean {
  const index = indexIn(plan, silo);
  return index !== undefined && attempt.phase === 'mask' && !attempt.closing && !attempt.masked.has(index);
}

type SubmitResponseReceipt = Awaited<ReturnType<CoordinatorService['feed']>>;

function roundWithT2(service: CoordinatorService, t2: Uint8Array): CoordinatorRound | undefined {
  for (const job of service.state.jobs.values()) {
    const dealers = job.open?.attempt.dealers;
    if (dealers !== undefined && hex(dealers.t2) === hex(t2)) return job.open;
  }
  return undefined;
}

interface Rooted {
  readonly computedRoot: Uint8Array;
  readonly upload: ReadUpload | undefined;
}

/** h_i of what has arrived. Where it is not what was signed the service forgets the bytes, and the next upload starts from nothing. */
async function rootOf(service: CoordinatorService, silo: SiloId, round: CoordinatorRound): Promise<Rooted> {
  const index = indexIn(round.plan, silo);
  if (index === undefined) return { computedRoot: new Uint8Array(), upload: undefined };
  const name = uploadName(round.plan.rid, round.attempt.context.attempt.attempt, index);
  const upload = await service.store.uploads.upload(name);
  await upload.sync();
  const { manifest, plan } = round.attempt.context;
  const { length } = layoutOfRound(manifest, plan.round);
  const read = { name, generation: upload.generation };
  // An upload that is too short is no input, whatever its hash.
  if (upload.length !== packedBytes(length, manifest.modulusBits))
    return { computedRoot: new Uint8Array(), upload: read };
  const { roots, computer } = service.computation;
  return { computedRoot: await roots.of(read, computer.laneFor(length), upload), upload: read };
}

interface ExpectedUpload {
  readonly name: string;
  readonly bytes: number;
  /** d, in coordinates. */
  readonly length: number;
}

function expectedUpload(
  service: CoordinatorService,
  silo: SiloId,
  rid: Uint8Array,
  number: number,
): Promise<ExpectedUpload> {
  return surely(service, () => expectedNow(service, silo, rid, number));
}

function expectedNow(service: CoordinatorService, silo: SiloId, rid: Uint8Array, number: number): ExpectedUpload {
  for (const job of service.state.jobs.values()) {
    const { open, manifest } = job;
    if (open === undefined || hex(open.plan.rid) !== hex(rid)) continue;
    const index = indexIn(open.plan, silo);
    const { attempt } = open;
    if (
      index === undefined ||
      attempt.context.attempt.attempt !== number ||
      attempt.dealers?.members.has(index) !== true
    )
      break;
    const { length } = layoutOfRound(manifest, open.plan.round);
    return { name: uploadName(rid, number, index), bytes: packedBytes(length, manifest.modulusBits), length };
  }
  throw new CoordinatorError('coordinator/no-upload', 'no open attempt expects an upload from this silo.', {
    category: 'state',
  });
}

async function upload(
  service: CoordinatorService,
  silo: SiloId,
  target: UploadTarget,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ durableBytes: bigint }> {
  const expected = await expectedUpload(service, silo, target.rid, target.attempt);
  const spooled = await service.store.uploads.upload(expected.name);
  const { roots, computer } = service.computation;
  const lane = computer.laneFor(expected.length);
  let at = Number(target.offset);
  let unsynced = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > expected.bytes)
      throw new CoordinatorError(
        'coordinator/upload-too-long',
        `the vector of this round has ${String(expected.bytes)} bytes on the wire.`,
        { category: 'limit' },
      );
    await spooled.append(at, chunk).catch((error: unknown) => {
      throw ofPeer(error);
    });
    // Bytes that another coordinator may have put in the same place are hashed as they are stored.
    if (service.store.shared === undefined)
      await roots.written({ name: expected.name, generation: spooled.generation }, lane, at, chunk);
    at += chunk.length;
    unsynced += chunk.length;
    if (unsynced >= SYNC_BYTES) {
      await spooled.sync();
      unsynced = 0;
    }
  }
  return { durableBytes: BigInt(await spooled.sync()) };
}

/** What the spool refuses because of the bytes that came is the sender's fault, not the disk's. */
function ofPeer(error: unknown): unknown {
  if (!isCodedError(error) || !BAD_BYTES.has(error.code)) return error;
  return new CoordinatorError('coordinator/bad-upload', error.message, { category: 'content' });
}

const BAD_BYTES: ReadonlySet<string> = new Set(['storage/upload-gap', 'storage/upload-conflict']);

/** Any member may read all of it: that is what it is for. */
async function* readLog(service: CoordinatorService, { from, to }: ReadLogRequest): AsyncGenerator<Uint8Array> {
  await demandEntries(service, from, to);
  for await (const { bytes } of service.store.log.entries(Number(from), Number(to - from))) yield frameEntry(bytes);
}

function demandEntries(service: CoordinatorService, from: bigint, to: bigint): Promise<void> {
  return surely(service, () => {
    const size = BigInt(service.state.log?.range.size ?? 0);
    if (from > to || to > size)
      throw new CoordinatorError(
        'coordinator/no-entries',
        `entries ${String(from)} to ${String(to)} were asked for, the log has ${String(size)}.`,
        { category: 'missing' },
      );
  });
}

async function* getBlob(
  service: CoordinatorService,
  silo: SiloId,
  sha256: Uint8Array,
  offset: bigint,
): AsyncGenerator<Uint8Array> {
  const name = hex(sha256);
  const none = (): CoordinatorError =>
    new CoordinatorError('coordinator/no-blob', `no object ${name.slice(0, 16)}… may be fetched by ${silo}.`, {
      category: 'missing',
    });
  await surely(service, () => {
    if (!mayFetch(service.state, silo, sha256, service.missingInputs)) throw none();
  });
  if (!(await service.store.blobs.has(name))) throw none();
  yield* service.store.blobs.readChunks(name, LIMITS.chunkBytes, Number(offset));
}
