// The whole audit, in the order of docs/audit.md. What fails becomes a finding, and what does not depend on it goes on.

import { fromUtf8, isName, LIMITS } from '../base/index.js';
import { verifySignatureIndependently } from '../crypto/index.js';
import { CHAIN_BYTES, readChain, readRoster, type Roster } from '../protocol/index.js';
import type { LogEntry } from '../transcript/index.js';
import type { AttemptStart, Hello } from '../wire/index.js';
import { BundleReader, type Source } from './bundle/reader.js';
import { VerifyError, verified } from './errors.js';
import { checkQuorum, checkRoots, openKeptCheckpoint, type KeptCheckpoint } from './log/checkpoint.js';
import { ChargeBook } from './log/charges.js';
import { EpochFollower } from './log/epochs.js';
import { JobFollower } from './log/follow.js';
import { isSignedKind, openLogged, type Logged } from './log/messages.js';
import { TimeCheck } from './log/times.js';
import { entryBytes, LogTree, numbered, type Numbered } from './log/tree.js';
import { PART } from './parts.js';
import { checkJob, type Audit, type Standardisation } from './round/job.js';
import { checkNamed } from './round/rests.js';
import { Ledger, type Verdict } from './verdict.js';

export interface VerifyOptions {
  readonly rosterHash: Uint8Array;
  /** A note that was kept from an earlier day. */
  readonly previous?: Uint8Array | undefined;
  /** For whoever verifies many bundles with the same messages: `verifySignatureIndependently` unless given. */
  readonly verifySignature?: typeof verifySignatureIndependently;
}

export interface Verified extends Verdict {
  readonly job: string;
  readonly checkpoint: KeptCheckpoint | undefined;
}

/** Never throws for what a bundle holds: a file that is none is a verdict, too. */
export function verifyBundle(source: Source, options: VerifyOptions): Verified {
  const ledger = new Ledger();
  const outer = ledger.check('bundle', () => {
    const bundle = new BundleReader(source);
    return { bundle, job: jobOf(bundle) };
  });
  if (outer === undefined) return { ...ledger.verdict(), job: '', checkpoint: undefined };
  const { bundle, job } = outer;
  const roster = ledger.check('roster', () => {
    const bytes = bundle.get(PART.roster, LIMITS.manifestBytes);
    const pinned = readRoster(bytes, options.rosterHash, options.verifySignature ?? verifySignatureIndependently);
    return bundle.has(PART.successors) ? readChain(pinned, bundle.get(PART.successors, CHAIN_BYTES)) : pinned;
  });
  const checkpoint =
    roster === undefined
      ? undefined
      : ledger.check('checkpoint', () => openKeptCheckpoint(roster, bundle.get(PART.checkpoint, LIMITS.noteBytes)));
  if (roster !== undefined && checkpoint !== undefined) checkLog(ledger, roster, bundle, { job, checkpoint, options });
  return { ...ledger.verdict(), job, checkpoint };
}

function jobOf(bundle: BundleReader): string {
  const job = fromAscii(bundle.get(PART.job, 64));
  verified(isName(job), 'verify/bundle', 'the file is not a bundle: its job has no name.');
  return job;
}

function fromAscii(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    return '';
  }
}

interface Wanted {
  readonly job: string;
  readonly checkpoint: KeptCheckpoint;
  readonly options: VerifyOptions;
}

function checkLog(ledger: Ledger, roster: Roster, bundle: BundleReader, { job, checkpoint, options }: Wanted): void {
  const { previous: note } = options;
  const previous = note === undefined ? undefined : ledger.check('previous', () => openKeptCheckpoint(roster, note));
  const tree = new LogTree();
  const entries = ledger.check('log', () => readEntries(bundle, tree));
  if (entries === undefined) return;
  ledger.count('entries', tree.size);
  ledger.check('log', () => {
    checkRoots(tree, checkpoint, previous);
  });
  // Entries that are not those of the checkpoint prove nothing: there is no use in reading them.
  if (ledger.findings.length > 0) return;
  const audit: Audit = { roster, bundle, ledger, tree };
  const followers = follow(audit, entries, new TimeCheck(checkpoint, previous));
  const book = followers.get(job)?.book;
  if (book === undefined) {
    ledger.found(`job ${job}`, 'verify/no-manifest', `the log has no manifest of job "${job}".`, []);
    return;
  }
  ledger.check(`job ${job}`, () => {
    checkQuorum(ledger, book.manifest, checkpoint);
  });
  const { standardiseBy } = book.manifest.message;
  checkJob(audit, book, standardiseBy === undefined ? 'none' : statisticsOf(audit, followers, standardiseBy.jobId));
}

function statisticsOf(audit: Audit, followers: ReadonlyMap<string, JobFollower>, job: string): Standardisation {
  const book = followers.get(job)?.book;
  if (book !== undefined) return checkJob(audit, book, 'none');
  const missing = `the bundle does not hold job "${job}", whose statistics standardise the model.`;
  audit.ledger.found(`job ${job}`, 'verify/missing-part', missing, []);
  return 'failed';
}

function readEntries(bundle: BundleReader, tree: LogTree): Numbered[] {
  const entries: Numbered[] = [];
  for (const bytes of entryBytes(bundle)) {
    if (tree.size === LIMITS.logEntriesPerRead)
      throw new VerifyError('verify/bundle', `the log has more than ${String(LIMITS.logEntriesPerRead)} entries.`);
    entries.push(numbered(tree.size, bytes));
    tree.append(bytes);
  }
  return entries;
}

/** Every entry of the log, in order. Returns what it says of each job. */
function follow(audit: Audit, entries: readonly Numbered[], times: TimeCheck): Map<string, JobFollower> {
  const { ledger, roster, bundle } = audit;
  const jobs = wantedJobs(bundle);
  const charges = new ChargeBook(ledger);
  const followers = new Map([...jobs].map((job) => [job, new JobFollower(roster, ledger, job)]));
  const epochs = new EpochFollower(roster, ledger);
  for (const one of entries) {
    const { entry, index } = one;
    const where = whereOf(entry);
    const logged = ledger.check(where, () => {
      if (index > 0) times.add(index, entry.recordedAt);
      if (index === 0 || entry.kind === 'roster') epochs.add(one);
      // What is too large for an entry lies beside it only where its job is audited.
      const opens = isSignedKind(entry.kind) && (entry.body.form === 'envelope' || jobs.has(entry.job));
      const opened = opens ? openLogged(epochs.present, bundle, one) : undefined;
      if (opened !== undefined) ledger.count('signatures');
      return { opened };
    }, [index]);
    if (logged === undefined) continue;
    // What a message names and where it stands are found apart: behind a start that names another log its attempt is read all the same.
    ledger.check(where, () => {
      checkNames(audit, logged.opened);
    }, [index]);
    ledger.check(where, () => {
      epochs.check(logged.opened);
      followers.get(entry.job)?.add(one, logged.opened);
      charges.add(one, logged.opened);
    }, [index]);
  }
  return followers;
}

/** The jobs that a bundle holds the rounds of. */
function wantedJobs({ parts }: BundleReader): Set<string> {
  const jobs = new Set<string>();
  for (const name of parts.keys()) {
    const [first, job] = name.split('/');
    if (first === 'jobs' && job !== undefined) jobs.add(job);
  }
  return jobs;
}

/** Hellos and starts of every job name checkpoints of this log. */
function checkNames({ tree, ledger }: Audit, logged: Logged | undefined): void {
  if (logged === undefined) return;
  const { entry, index } = logged;
  if (entry.kind === 'hello') {
    const { siloId, checkpoint } = logged.message as Hello;
    verified(
      entry.subject === `silo/${siloId}`,
      'verify/entry-place',
      `entry ${String(index)} is a Hello of ${siloId} signed by ${entry.subject}.`,
      [index],
    );
    if (checkpoint.length > 0) checkNamed(tree, ledger, entry.subject, checkpoint, index);
  } else if (entry.kind === 'attempt') {
    checkNamed(tree, ledger, `attempt ${String(entry.attempt)}`, (logged.message as AttemptStart).checkpoint, index);
  }
}

function whereOf({ job, round }: LogEntry): string {
  if (job === '') return 'log';
  return round === 0 ? `job ${job}` : `job ${job} round ${String(round)}`;
}
