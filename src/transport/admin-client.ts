// The client of operators and auditors.

import type { WatchRoundsRequest, WatchRoundsResponse } from '../wire/index.js';
import { decodeData, encodeData } from './bulk-codec.js';
import { inChunks } from './chunks.js';
import type { AdminClient } from './clients.js';
import { ADMIN_METHODS, decodeMessage, encodeMessage, type Method } from './methods.js';
import { retried } from './retry.js';
import type { Connected, ConnectOptions } from './silo-client.js';
import { connect, unaryCalls } from './silo-client.js';

export function connectAdmin(options: ConnectOptions): AdminClient {
  const connected = connect(options);
  const { channel, retry } = connected;
  const call = unaryCalls(channel, retry);
  const { putBlob, createJob, listJobs, getJob, listRounds, getRound } = ADMIN_METHODS;
  /** What a caller leaves out has its default. */
  const asked = <Request, Response>(method: Method<Request, Response>) => {
    const nothing = method.definition.requestType.decode(new Uint8Array());
    return (request: Partial<Request> = {}, signal?: AbortSignal): Promise<Response> =>
      call(method, { ...nothing, ...request }, signal);
  };
  return {
    putBlob: async (read, signal) => {
      const answer = await retried(retry, signal, () => channel.upload(putBlob.path, messages(read()), signal));
      return decodeMessage(putBlob.definition.responseType, answer, putBlob.path);
    },
    // Idempotent like the rest: a job's name is its caller's choice.
    createJob: (request, signal) => call(createJob, request, signal),
    // Idempotent, too: an order has a number.
    giveOrder: asked(ADMIN_METHODS.giveOrder),
    listOrders: asked(ADMIN_METHODS.listOrders),
    listJobs: asked(listJobs),
    getJob: asked(getJob),
    listRounds: asked(listRounds),
    getRound: asked(getRound),
    getParticipation: asked(ADMIN_METHODS.getParticipation),
    getLedger: asked(ADMIN_METHODS.getLedger),
    listSilos: asked(ADMIN_METHODS.listSilos),
    getSilo: asked(ADMIN_METHODS.getSilo),
    getServerInfo: asked(ADMIN_METHODS.getServerInfo),
    listActs: asked(ADMIN_METHODS.listActs),
    getCheckpoint: asked(ADMIN_METHODS.getCheckpoint),
    listEntries: asked(ADMIN_METHODS.listEntries),
    getInclusionProof: asked(ADMIN_METHODS.getInclusionProof),
    getConsistencyProof: asked(ADMIN_METHODS.getConsistencyProof),
    watchRounds: (request, signal) => watchRounds(connected, request, signal),
    exportModel: (request, signal) => download(connected, ADMIN_METHODS.exportModel, request, signal),
    exportSum: (request, signal) => download(connected, ADMIN_METHODS.exportSum, request, signal),
    exportArtefact: (request, signal) =>
      download(connected, ADMIN_METHODS.exportArtefact, { index: 0, ...request }, signal),
    replaceCertificate: (tls) => {
      channel.replaceCertificate(tls);
    },
    close: () => {
      channel.close();
    },
  };
}

async function* watchRounds(
  { channel }: Connected,
  request: WatchRoundsRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchRoundsResponse, void, undefined> {
  const { path, definition } = ADMIN_METHODS.watchRounds;
  // A job may be quiet for hours: gRPC's keepalive tells whether the other end is there.
  for await (const bytes of channel.stream(path, encodeMessage(definition.requestType, request), signal, undefined))
    yield decodeMessage(definition.responseType, bytes, path);
}

async function* download<Request>(
  { channel, limits }: Connected,
  { path, definition }: Method<Request, { data: Uint8Array }>,
  request: Request,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = encodeMessage(definition.requestType, request);
  for await (const message of channel.stream(path, bytes, signal, limits.stallMs)) yield decodeData(message);
}

async function* messages(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of inChunks(pieces)) yield encodeData(chunk);
}
