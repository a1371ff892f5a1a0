// A data set of an agent: exactly one of the sources that dataset/ knows, with what is said beside each.

import { z } from 'zod';
import { LIMITS } from '../base/index.js';
import { finite, pathIn, strict, whole } from './fields.js';

/** Why a text is no URL of a PostgreSQL database; undefined for one that is. */
function problemOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol))
    return 'expected postgres://user@host:port/database';
  if (url.password !== '') return 'holds a password; put it into a file and name that in passwordFile';
  if (url.username === '' || url.pathname.length < 2)
    return 'expected a user and a database: postgres://user@host:port/database';
  const others = [...url.searchParams.keys()].filter((key) => key !== 'host');
  if (others.length > 0) return `has settings of other programs (${others.join(', ')}); tls has a section of its own`;
  const socket = url.searchParams.get('host');
  if (socket?.startsWith('/') === false)
    return 'expected the folder of a socket: postgres://user@localhost/database?host=/folder';
  return undefined;
}

function postgres(folder: string) {
  return strict({
    url: z.string().check(({ value, issues }) => {
      const problem = problemOfUrl(value);
      if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: '' });
    }),
    /** Mode 0600; the password alone. */
    passwordFile: pathIn(folder).optional(),
    /** Checked against the authorities of the system unless one is given. `off`: records cross the network in clear. */
    tls: z
      .union([
        z.literal('off'),
        strict({
          ca: pathIn(folder).optional(),
          certificate: pathIn(folder).optional(),
          key: pathIn(folder).optional(),
        }),
      ])
      .optional(),
  });
}

function images(folder: string) {
  return strict({
    /** Of the query: paths, absolute or relative to `folder`. */
    column: z.string().min(1),
    folder: pathIn(folder),
    as: z.string().min(1),
    width: whole(1, LIMITS.featuresMax),
    height: whole(1, LIMITS.featuresMax),
    colours: z.union([z.literal(1), z.literal(3)], { error: 'expected 1 (grey) or 3 (red, green, blue)' }).default(1),
  });
}

const array = (folder: string) =>
  strict({
    file: pathIn(folder),
    array: z.string().min(1).optional(),
    as: z.string().min(1),
  });

export function dataSet(folder: string) {
  return strict({
    /** One SELECT. Paths in it are absolute, or relative to where the agent is started. */
    query: z.string().min(1).optional(),
    /** The only places it may read. */
    directories: z.array(pathIn(folder)).min(1).optional(),
    /** Where it is asked, instead of files. */
    postgres: postgres(folder).optional(),
    /** Beside its rows: pictures that one of its columns names. */
    images: images(folder).optional(),
    /** Instead of a query: NumPy arrays whose first axis counts records. */
    arrays: z.array(array(folder)).min(1).optional(),
    /** Units of its columns; a job that declares another is refused. Not compared where none is said. */
    units: z.record(z.string(), z.string()).optional(),
    /** Records beyond this lie encrypted in the state folder while a round lasts. */
    memoryMiB: finite
      .min(0)
      .max(1024 * 1024)
      .optional(),
  }).transform(({ query, directories, postgres: place, images: pictures, arrays, ...rest }, context) => {
    const refuse = (path: string, message: string): never => {
      context.issues.push({ code: 'custom', path: [path], message, input: '' });
      return z.NEVER;
    };
    if (arrays !== undefined) {
      if (query !== undefined) return refuse('query', 'either query or arrays');
      if (place !== undefined || pictures !== undefined || directories !== undefined)
        return refuse('arrays', 'directories, postgres and images go with a query');
      return { ...rest, arrays };
    }
    if (query === undefined) return refuse('query', 'expected a query, or arrays');
    const asked = { ...rest, query, ...(pictures === undefined ? {} : { images: pictures }) };
    if (place !== undefined) {
      if (directories !== undefined) return refuse('directories', 'files are not read where postgres is asked');
      return { ...asked, postgres: place };
    }
    if (directories === undefined)
      return refuse('directories', 'expected the directories that the query may read, or postgres');
    return { ...asked, directories };
  });
}
