// What a coordinator implements to be served. Nothing here knows gRPC: a handler returns, yields or throws a CodedError, and the room
// turns that into the wire. A handler is only called for a caller whose certificate, role and limits have been checked for this call.

import type { SiloId, UnixMs } from '../base/index.js';
import type {
  CreateJobRequest,
  CreateJobResponse,
  Directive,
  ExportArtefactRequest,
  ExportModelRequest,
  ExportSumRequest,
  GetBlobRequest,
  GetCheckpointRequest,
  GetCheckpointResponse,
  GetConsistencyProofRequest,
  GetConsistencyProofResponse,
  GetInclusionProofRequest,
  GetInclusionProofResponse,
  GetJobRequest,
  GetJobResponse,
  GetLedgerRequest,
  GetLedgerResponse,
  GetParticipationRequest,
  GetParticipationResponse,
  GetRoundRequest,
  GetRoundResponse,
  GetServerInfoRequest,
  GetServerInfoResponse,
  GetSiloRequest,
  GetSiloResponse,
  GiveOrderRequest,
  GiveOrderResponse,
  ListActsRequest,
  ListActsResponse,
  ListEntriesRequest,
  ListEntriesResponse,
  ListJobsRequest,
  ListJobsResponse,
  ListOrdersRequest,
  ListOrdersResponse,
  ListRoundsRequest,
  ListRoundsResponse,
  ListSilosRequest,
  ListSilosResponse,
  ProveLogRequest,
  ProveLogResponse,
  PutBlobResponse,
  ReadLogRequest,
  SubmitRequest,
  SubmitResponse,
  UploadStatusRequest,
  UploadStatusResponse,
  UploadTarget,
  WatchRequest,
  WatchRoundsRequest,
  WatchRoundsResponse,
} from '../wire/index.js';

/**
 * Iterables that a handler returns are pulled only as fast as the peer reads, and are closed (`return()`) when it leaves; what was
 * yielded and not yet pulled is never dropped. Iterables that a handler receives deliver chunks as views that it must use or copy
 * before it asks for the next; they throw `transport/cancelled` when the peer leaves in the middle.
 */
export interface SiloHandlers {
  /** Runs until `signal` aborts. Heartbeats are the transport's business. */
  watch(caller: SiloId, request: WatchRequest, signal: AbortSignal, peer: CallerCertificate): AsyncIterable<Directive>;
  submit(caller: SiloId, request: SubmitRequest): Promise<SubmitResponse>;
  /** Chunks have 1 to LIMITS.chunkBytes bytes. Answering before they are all read ends the upload there. */
  uploadMasked(caller: SiloId, target: UploadTarget, chunks: AsyncIterable<Uint8Array>): Promise<UploadStatusResponse>;
  uploadStatus(caller: SiloId, request: UploadStatusRequest): Promise<UploadStatusResponse>;
  /** Pieces of any size, from `request.offset`. */
  getBlob(caller: SiloId, request: GetBlobRequest): AsyncIterable<Uint8Array>;
  /** Entries of the log from `from` to `to`, each framed by `frameEntry`, in pieces of any size. */
  readLog(caller: SiloId, request: ReadLogRequest): AsyncIterable<Uint8Array>;
  proveLog(caller: SiloId, request: ProveLogRequest): Promise<ProveLogResponse>;
}

/** Of the certificate under which a call came. */
export interface CallerCertificate {
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly notAfter: UnixMs;
}

export interface AdminCaller {
  readonly role: 'operator' | 'auditor';
  readonly id: string;
}

export interface AdminHandlers {
  putBlob(caller: AdminCaller, chunks: AsyncIterable<Uint8Array>): Promise<PutBlobResponse>;
  createJob(caller: AdminCaller, request: CreateJobRequest): Promise<CreateJobResponse>;
  listJobs(caller: AdminCaller, request: ListJobsRequest): Promise<ListJobsResponse>;
  getJob(caller: AdminCaller, request: GetJobRequest): Promise<GetJobResponse>;
  listRounds(caller: AdminCaller, request: ListRoundsRequest): Promise<ListRoundsResponse>;
  getRound(caller: AdminCaller, request: GetRoundRequest): Promise<GetRoundResponse>;
  /** Runs until the job ends or `signal` aborts. */
  watchRounds(
    caller: AdminCaller,
    request: WatchRoundsRequest,
    signal: AbortSignal,
  ): AsyncIterable<WatchRoundsResponse>;
  /** Pieces of any size. */
  exportModel(caller: AdminCaller, request: ExportModelRequest): AsyncIterable<Uint8Array>;
  /** Pieces of any size. */
  exportSum(caller: AdminCaller, request: ExportSumRequest): AsyncIterable<Uint8Array>;
  /** Pieces of any size. */
  exportArtefact(caller: AdminCaller, request: ExportArtefactRequest): AsyncIterable<Uint8Array>;
  giveOrder(caller: AdminCaller, request: GiveOrderRequest): Promise<GiveOrderResponse>;
  listOrders(caller: AdminCaller, request: ListOrdersRequest): Promise<ListOrdersResponse>;
  getParticipation(caller: AdminCaller, request: GetParticipationRequest): Promise<GetParticipationResponse>;
  getLedger(caller: AdminCaller, request: GetLedgerRequest): Promise<GetLedgerResponse>;
  listSilos(caller: AdminCaller, request: ListSilosRequest): Promise<ListSilosResponse>;
  getSilo(caller: AdminCaller, request: GetSiloRequest): Promise<GetSiloResponse>;
  getServerInfo(caller: AdminCaller, request: GetServerInfoRequest): Promise<GetServerInfoResponse>;
  listActs(caller: AdminCaller, request: ListActsRequest): Promise<ListActsResponse>;
  getCheckpoint(caller: AdminCaller, request: GetCheckpointRequest): Promise<GetCheckpointResponse>;
  listEntries(caller: AdminCaller, request: ListEntriesRequest): Promise<ListEntriesResponse>;
  getInclusionProof(caller: AdminCaller, request: GetInclusionProofRequest): Promise<GetInclusionProofResponse>;
  getConsistencyProof(caller: AdminCaller, request: GetConsistencyProofRequest): Promise<GetConsistencyProofResponse>;
}
