// Pages of a growing list. A token names the last item that was given, so a page is the same whatever has been added since; readers
// are told to treat it as opaque.

import { LIMITS } from '../../src/base/index.js';
import { encode, type MessageType } from '../../src/wire/index.js';
import { AdminError } from './errors.js';

export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 1000;
/** Bytes of items in one page. A round at 200 silos has some 50 KiB, so that 1000 of them would not fit into a message. */
const PAGE_BYTES = LIMITS.messageBytes / 2;

export interface PageRequest {
  /** 0 means PAGE_SIZE_DEFAULT. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

export interface PagedList<T> {
  /** Which list it is, e.g. `rounds of job-1`: a token of one list is refused by every other. */
  readonly name: string;
  readonly length: number;
  /** Item at `position`, from 0. */
  readonly item: (position: number) => T;
  readonly codec: MessageType<T>;
  /** Leaves out what a filter leaves out. A filter is part of the name: its token is refused under another one. */
  readonly keep?: (position: number) => boolean;
  /** Where the first page begins; 0 unless said otherwise. */
  readonly from?: number;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextPageToken: string;
}

export function pageOf<T>(list: PagedList<T>, { pageSize, pageToken }: PageRequest): Page<T> {
  const size = sizeOf({ pageSize });
  const items: T[] = [];
  let bytes = 0;
  let next = pageToken === '' ? (list.from ?? 0) : startOf(list, pageToken);
  for (; next < list.length; next++) {
    if (list.keep?.(next) === false) continue;
    if (items.length === size) break;
    const item = list.item(next);
    bytes += encode(list.codec, item).length;
    // The first always goes: an item is far below the bound, and a page of none would never end.
    if (items.length > 0 && bytes > PAGE_BYTES) break;
    items.push(item);
  }
  return { items, nextPageToken: next < list.length ? tokenOf(list, next) : '' };
}

/** Items that a page may hold. Throws AdminError `admin/bad-page`. */
export function sizeOf({ pageSize }: Pick<PageRequest, 'pageSize'>): number {
  if (pageSize > PAGE_SIZE_MAX)
    throw new AdminError(
      'admin/bad-page',
      `a page has at most ${String(PAGE_SIZE_MAX)} items, ${String(pageSize)} were asked for.`,
    );
  return pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize;
}

type Named = Pick<PagedList<unknown>, 'name' | 'length'>;

/** Position of the first item that a page looks at. Throws AdminError `admin/bad-page`. */
export function startOf(list: Named, pageToken: string): number {
  return pageToken === '' ? 0 : positionIn(list, pageToken);
}

function tokenOf(list: Named, position: number): string {
  return Buffer.from(`${String(position)} ${list.name}`).toString('base64url');
}

function positionIn(list: Named, token: string): number {
  const position = Number.parseInt(Buffer.from(token.slice(0, 200), 'base64url').toString(), 10);
  // One spelling for each position: whatever else decodes to a number is no token of ours.
  if (!(position >= 0 && position <= list.length) || tokenOf(list, position) !== token)
    throw new AdminError('admin/bad-page', `the page token does not belong to the ${list.name}.`);
  return position;
}
