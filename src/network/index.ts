// network: how a connection leaves the house. Addresses, and the HTTP proxy that a hospital puts between itself and the world.

export { splitAddress, type HostPort } from './address.js';
export * from './errors.js';
export { readProxy, type ProxyFields } from './proxy.js';
export { openSocket, type Proxy } from './socket.js';
