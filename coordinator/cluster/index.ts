// Several coordinators on one store (docs/adr/0015-several-coordinators.md).

export { Cluster } from './cluster.js';
