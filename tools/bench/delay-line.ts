// A line between two machines that are far apart, as a process of its own: what goes in at one end comes out at the other after half a
// round trip, at whatever rate it is sent. Arguments: milliseconds of the round trip, ports to lead to. Sends its own ports, in order.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const [roundTripMs = NaN, ...targets] = process.argv.slice(2).map(Number);

/** Sends on what comes, each piece when its time has come; the end of the stream as well. */
function carry(from: Socket, to: Socket): void {
  from.on('data', (piece) => {
    setTimeout(() => {
      if (!to.destroyed) to.write(piece);
    }, roundTripMs / 2);
  });
  from.on('end', () => {
    setTimeout(() => to.end(), roundTripMs / 2);
  });
  from.on('error', () => to.destroy());
}

const ports: number[] = [];
for (const target of targets) {
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [inner, outer]) socket.setNoDelay(true);
    carry(outer, inner);
    carry(inner, outer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.send?.(ports);
