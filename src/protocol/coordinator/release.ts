// One released message, checked share by share against what its dealers committed to.

import type { Envelope } from '../../wire/index.js';
import { isEnough, openRelease } from '../check/unmask.js';
import { demanded } from '../rejection.js';
import { alreadyStored, withEntry, type Located } from './change.js';
import type { CoordinatorAttempt } from './state.js';

/** The attempt with one more release; undefined when it was known. */
export function addRelease(found: Located, envelope: Envelope): Located | undefined {
  const { attempt } = found;
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const release = openRelease(attempt.context, keys, dealers, survivors, envelope);
  if (alreadyStored(attempt.releases.get(release.index)?.envelope, envelope)) return undefined;
  return { ...found, attempt: { ...attempt, releases: withEntry(attempt.releases, release.index, release) } };
}

/** True when what was released gives every secret that is to be opened. */
export function releasesSuffice({ keys, dealers, releases, context }: CoordinatorAttempt): boolean {
  if (keys === undefined || dealers === undefined) return false;
  return context.plan.graph === undefined ? releases.size >= context.plan.t : isEnough(keys, dealers, releases.keys());
}

/** Why it does not, in words. */
export function releasesMissing({ keys, dealers, releases, context }: CoordinatorAttempt): string {
  const released = `${String(releases.size)} silos released shares`;
  const { graph, t } = context.plan;
  if (graph === undefined) return `${released}, ${String(t)} are needed`;
  const short = [...(dealers?.members.keys() ?? [])].filter(
    (dealer) =>
      [...releases.keys()].filter((holder) => keys?.graph.holds(holder, dealer)).length < graph.shareThreshold,
  );
  return `${released}, and fewer than the ${String(graph.shareThreshold)} needed of the neighbours of ${String(short.length)} silos`;
}
