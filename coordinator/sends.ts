// Failpoints around everything that a coordinator sends to silos: directives, answers, pieces of objects.

import { failpoint, failpointSoon } from '../src/system/index.js';
import type { SiloHandlers } from '../src/transport/index.js';

/** The same handlers, with `coordinator.before-send` and `coordinator.after-send` around each thing they give, by what it is. */
export function tracedHandlers(handlers: SiloHandlers): SiloHandlers {
  return {
    watch: (caller, request, signal, peer) =>
      each(handlers.watch(caller, request, signal, peer), ({ body }) => `directive.${body?.$case ?? 'nothing'}`),
    submit: (caller, request) =>
      answered(`answer.${request.envelope?.type.slice(0, 40) ?? 'nothing'}`, handlers.submit(caller, request)),
    uploadMasked: (caller, target, chunks) =>
      answered('answer.upload', Promise.resolve(handlers.uploadMasked(caller, target, chunks))),
    uploadStatus: (caller, request) => answered('answer.upload-status', handlers.uploadStatus(caller, request)),
    getBlob: (caller, request) => each(handlers.getBlob(caller, request), () => 'blob'),
    readLog: (caller, request) => each(handlers.readLog(caller, request), () => 'log'),
    proveLog: (caller, request) => answered('answer.prove-log', handlers.proveLog(caller, request)),
  };
}

/** Asked for the next one, the transport has taken the one before. */
async function* each<T>(source: AsyncIterable<T>, nameOf: (one: T) => string): AsyncGenerator<T> {
  for await (const one of source) {
    failpoint('coordinator.before-send', nameOf(one));
    yield one;
    failpoint('coordinator.after-send', nameOf(one));
  }
}

async function answered<T>(what: string, answer: Promise<T>): Promise<T> {
  const value = await answer;
  failpoint('coordinator.before-send', what);
  failpointSoon('coordinator.after-send', what);
  return value;
}
