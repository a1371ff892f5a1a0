// A thread of the pool: compiled by tsc and started by computer.ts.

import { freeKeystreamsBy } from '../crypto/index.js';
import { bufferFreeing, serveJobs } from '../system/index.js';
import { JOBS } from './jobs.js';

freeKeystreamsBy(bufferFreeing());
serveJobs(JOBS);
