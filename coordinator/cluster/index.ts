// Several coordinators on one store (docs/adr/0012-several-coordinators.md).

export { Cluster } from './cluster.js';
