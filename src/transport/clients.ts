// What an agent and an auditor call. Like the handlers on the other side, free of gRPC: answers, iterables and CodedErrors.

import type {
  BlobRef,
  CreateJobRequest,
  CreateJobResponse,
  Directive,
  ExportArtefactRequest,
  ExportModelRequest,
  ExportSumRequest,
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
  PutBlobResponse,
  SubmitRequest,
  SubmitResponse,
  UploadStatusRequest,
  UploadStatusResponse,
  WatchRoundsRequest,
  WatchRoundsResponse,
} from '../wire/index.js';

/** PEM texts, as they stand in a member's bundle (pki's Bundle is one). */
export interface TlsMaterial {
  /** Own certificate first, then its issuers. */
  readonly chainPem: string;
  /** What the other side's certificate is checked against. */
  readonly authorityPem: string;
  /** Secret. */
  readonly privateKeyPem: string;
}

export interface Upload {
  readonly rid: Uint8Array;
  readonly attempt: number;
  readonly totalBytes: number;
  /** The bytes from `offset` to the end, in pieces of any size; read anew after a break. */
  read(offset: number): AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

export interface SiloClient {
  /**
   * Hands each directive to `onDirective`, the next only after the promise of the one before. Connects again for ever; resolves when
   * `signal` aborts, rejects only with what `cursor` or `onDirective` throw. Heartbeats are not handed on.
   */
  watch(cursor: () => bigint, onDirective: (directive: Directive) => Promise<void>, signal: AbortSignal): Promise<void>;
  submit(request: SubmitRequest, signal?: AbortSignal): Promise<SubmitResponse>;
  uploadStatus(request: UploadStatusRequest, signal?: AbortSignal): Promise<UploadStatusResponse>;
  /** Starts where the coordinator has the bytes up to, and resumes after breaks; resolves when all are on its disk. */
  upload(upload: Upload): Promise<void>;
  /**
   * The object's bytes, resumed after breaks. They are checked against `ref` only when the last has come: what the loop throws then
   * (transport/blob-size, transport/blob-hash) makes everything before it worthless.
   */
  getBlob(ref: BlobRef, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Entries `from` up to but not including `to`, in order, each as it is hashed. A break is the caller's to repeat. */
  readLog(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** That the first `to` entries of the log begin with the first `from`. */
  proveLog(from: number, to: number, signal?: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Takes a renewed certificate for the connections to come; calls under way finish on the old one. */
  replaceCertificate(tls: TlsMaterial): void;
  close(): void;
}

export interface AdminClient {
  /** `read` is called once for each try: an object is named by its hash, so sending it twice stores it once. */
  putBlob(read: () => AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<PutBlobResponse>;
  createJob(request: CreateJobRequest, signal?: AbortSignal): Promise<CreateJobResponse>;
  giveOrder(request: GiveOrderRequest, signal?: AbortSignal): Promise<GiveOrderResponse>;
  // What a request leaves out has its default: no filter, the first page, all fields.
  listOrders(request?: Partial<ListOrdersRequest>, signal?: AbortSignal): Promise<ListOrdersResponse>;
  listJobs(request?: Partial<ListJobsRequest>, signal?: AbortSignal): Promise<ListJobsResponse>;
  getJob(request: GetJobRequest, signal?: AbortSignal): Promise<GetJobResponse>;
  listRounds(request: Partial<ListRoundsRequest>, signal?: AbortSignal): Promise<ListRoundsResponse>;
  getRound(request: Partial<GetRoundRequest>, signal?: AbortSignal): Promise<GetRoundResponse>;
  getParticipation(request: Partial<GetParticipationRequest>, signal?: AbortSignal): Promise<GetParticipationResponse>;
  getLedger(request: Partial<GetLedgerRequest>, signal?: AbortSignal): Promise<GetLedgerResponse>;
  listSilos(request?: Partial<ListSilosRequest>, signal?: AbortSignal): Promise<ListSilosResponse>;
  getSilo(request: GetSiloRequest, signal?: AbortSignal): Promise<GetSiloResponse>;
  getServerInfo(request?: Partial<GetServerInfoRequest>, signal?: AbortSignal): Promise<GetServerInfoResponse>;
  listActs(request?: Partial<ListActsRequest>, signal?: AbortSignal): Promise<ListActsResponse>;
  getCheckpoint(request?: Partial<GetCheckpointRequest>, signal?: AbortSignal): Promise<GetCheckpointResponse>;
  listEntries(request?: Partial<ListEntriesRequest>, signal?: AbortSignal): Promise<ListEntriesResponse>;
  getInclusionProof(
    request: Partial<GetInclusionProofRequest>,
    signal?: AbortSignal,
  ): Promise<GetInclusionProofResponse>;
  getConsistencyProof(
    request: Partial<GetConsistencyProofRequest>,
    signal?: AbortSignal,
  ): Promise<GetConsistencyProofResponse>;
  /** One stream; a break is thrown, and asking again gives the state as it then is. */
  watchRounds(request: WatchRoundsRequest, signal?: AbortSignal): AsyncIterable<WatchRoundsResponse>;
  /** One stream; the caller compares the hash with the job's. */
  exportModel(request: ExportModelRequest, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** One stream; the caller compares the hash with the signed result's. */
  exportSum(request: ExportSumRequest, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** One stream; the caller compares the hash with the one that GetRound or the signed result names. */
  exportArtefact(
    request: Omit<ExportArtefactRequest, 'index'> & { index?: number },
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  replaceCertificate(tls: TlsMaterial): void;
  close(): void;
}
