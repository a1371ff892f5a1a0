// Pieces in an object store that speaks S3. Only put, get, range and delete are asked of it: what a store promises about conditions and
// lists differs, and nothing here rests on it, because PostgreSQL says which pieces there are.

import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { readSecretFile } from '../../system/index.js';
import { StorageError } from '../errors.js';
import type { PieceStore } from '../kinds.js';

export interface S3Settings {
  /** `https://…`; the one of Amazon's region unless given. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** In front of every key. */
  readonly prefix: string;
  /** A file (mode 0600): access key on the first line, its secret on the second. The environment's unless given. */
  readonly credentials?: string | undefined;
  /** The bucket in the path instead of the host name, as most stores outside Amazon want it. */
  readonly pathStyle: boolean;
}

const TRIES = 5;
const REQUEST_MS = 30_000;

export class S3Pieces implements PieceStore {
  readonly #client: S3Client;
  readonly #settings: S3Settings;

  private constructor(client: S3Client, settings: S3Settings) {
    this.#client = client;
    this.#settings = settings;
  }

  static async open(settings: S3Settings): Promise<S3Pieces> {
    const { endpoint, region, pathStyle, credentials } = settings;
    // Which versions of Node are supported is this project's to say, and standard error is not the place.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      maxAttempts: TRIES,
      requestHandler: { requestTimeout: REQUEST_MS },
      // Pieces are checked against hashes of our own, and not every store knows Amazon's newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials: await keysIn(credentials) }),
    });
    return new S3Pieces(client, settings);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#asked('writing', key, () =>
      this.#client.send(new PutObjectCommand({ ...this.#name(key), Body: bytes, ContentLength: bytes.length })),
    );
  }

  async get(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length === 0) return new Uint8Array(0);
    const range = `bytes=${String(offset)}-${String(offset + length - 1)}`;
    const bytes = await this.#asked('reading', key, async () => {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#name(key), Range: range }));
      return Body?.transformToByteArray();
    });
    if (bytes?.length !== length)
      throw new StorageError(
        'storage/damaged',
        `the object store gave ${String(bytes?.length ?? 0)} bytes of the piece ${key}, not ${String(length)}`,
      );
    return Uint8Array.from(bytes);
  }

  async delete(key: string): Promise<void> {
    await this.#asked('deleting', key, () => this.#client.send(new DeleteObjectCommand(this.#name(key))));
  }

  /** A put that was broken off leaves nothing in an object store. */
  discard(key: string): Promise<void> {
    return this.delete(key);
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #name(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: `${this.#settings.prefix}${key}` };
  }

  async #asked<T>(doing: string, key: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
      if (status === 404 && doing === 'reading')
        throw new StorageError('storage/damaged', `the object store does not have the piece ${key}`, { cause });
      const name = cause instanceof Error ? cause.name : 'unknown';
      throw new StorageError('storage/objects-refused', `${doing} the piece ${key} failed: ${name}`, {
        // A store that did not answer, or has trouble of its own, may do so later.
        ...(status === undefined || status >= 500 ? { category: 'unavailable' as const } : {}),
        cause,
      });
    }
  }
}

async function keysIn(path: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const [accessKeyId = '', secretAccessKey = ''] = Buffer.from(await readSecretFile(path))
    .toString()
    .split(/\r?\n/);
  if (accessKeyId === '' || secretAccessKey === '')
    throw new StorageError('storage/objects-refused', `${path} does not hold an access key and its secret`);
  return { accessKeyId, secretAccessKey };
}
