// A connection that is closing takes no new call and finishes those it carries: an upload after its certificate was replaced or its
// hour was over, a watch beside which something was too slow. grpc-js pings it nevertheless, Node refuses to ping what is closing, and
// grpc-js takes that for a dead line and cuts every call: at each renewal, and all at once on a machine that has too much to do.

import { createRequire } from 'node:module';
import type { Http2Session } from 'node:http2';

type Ping = (callback: (error: Error | null, duration: number, payload: Buffer) => void) => boolean;

const NO_PAYLOAD = Buffer.alloc(8);

/** From now on a keepalive of this session is answered at once while it is closing. The calls' own timeouts end what stands still. */
export function spareWhileClosing(session: Http2Session): void {
  const ping: Ping = session.ping.bind(session);
  const spared: Ping = (callback) => {
    if (!session.closed || session.destroyed) return ping(callback);
    setImmediate(callback, null, 0, NO_PAYLOAD);
    return true;
  };
  session.ping = spared as typeof session.ping;
}

interface Connector {
  createSession(...given: unknown[]): Promise<{ readonly session: Http2Session }>;
}

let sparing = false;

/** The same for every connection that is dialled by this process. Of the one version of grpc-js that http2-sessions.ts names. */
export function spareDialledSessions(): void {
  if (sparing) return;
  sparing = true;
  const { Http2SubchannelConnector } = createRequire(import.meta.url)('@grpc/grpc-js/build/src/transport.js') as {
    readonly Http2SubchannelConnector: { readonly prototype: Connector };
  };
  const { prototype } = Http2SubchannelConnector;
  const create = Reflect.get(prototype, 'createSession');
  prototype.createSession = async function (this: Connector, ...given) {
    const transport = await create.apply(this, given);
    spareWhileClosing(transport.session);
    return transport;
  };
}
