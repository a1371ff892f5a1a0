// A round with a result, from its transcript: everything that silos check of small messages, and that the log holds what it rests on.

import { equalBytes, hex } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import {
  checkResult,
  checkTranscript,
  cohortProblem,
  Refusal,
  toBitmap,
  type CheckedResult,
  type Manifest,
  type Roster,
} from '../../protocol/index.js';
import { decode, encode, Envelope, RoundTranscript } from '../../wire/index.js';
import type { BundleReader } from '../bundle/reader.js';
import { verified } from '../errors.js';
import { AUDIT_LIMITS } from '../limits.js';
import type { AttemptBook, RoundBook, Terminal } from '../log/book.js';
import type { Logged } from '../log/messages.js';
import { PART } from '../parts.js';
import type { Ledger } from '../verdict.js';

/** Throws Refusal, VerifyError. */
export function checkRound(
  { roster, bundle, ledger }: { readonly roster: Roster; readonly bundle: BundleReader; readonly ledger: Ledger },
  manifest: Manifest,
  round: RoundBook,
  terminal: Terminal & { readonly result: Logged },
): CheckedResult {
  const { plan } = round;
  const bytes = bundle.get(PART.transcript(plan.jobId, plan.round), AUDIT_LIMITS.transcriptBytes);
  const transcript = decode(RoundTranscript, 'transcript', bytes, AUDIT_LIMITS.transcriptBytes);
  const checked = checkTranscript(roster, manifest, transcript);
  const { maxMalicious, minCohort } = manifest;
  const problem = cohortProblem(plan.n, { c: maxMalicious, minCohort, minHonest: 2, graph: manifest.graph });
  if (problem !== undefined) throw new Refusal('plan/floor-honest', `${problem}.`);
  const result = checkResult(checked, terminal.result.envelope);
  const attempt = round.attempts.get(terminal.attempt);
  verified(attempt !== undefined, 'verify/not-logged', 'the attempt of the result is not in the log.', [
    terminal.index,
  ]);
  demandLogged(round, attempt, transcript, result);
  ledger.count('transcripts');
  ledger.count('openings', result.secrets.self.size + result.secrets.key.size);
  // Plan, attempt, request; keys of U1, headers of U2, masked headers of U3; confirmations inside the result.
  const { keys, dealers, survivors } = checked;
  ledger.count('signatures', 3 + keys.members.size + dealers.members.size + survivors.members.size);
  ledger.count('signatures', result.fingerprints.size);
  return result;
}

function demandLogged(
  round: RoundBook,
  attempt: AttemptBook,
  transcript: RoundTranscript,
  { context, keys, dealers, survivors, fingerprints }: CheckedResult,
): void {
  const { plan } = context;
  const same = (what: string, given: Envelope | undefined, logged: Logged | undefined): void => {
    verified(
      given !== undefined && logged !== undefined && equalBytes(sha256(encode(Envelope, given)), logged.digest),
      'verify/not-logged',
      `the ${what} of the transcript of round ${String(plan.round)} is not the one in the log.`,
      logged === undefined ? [] : [logged.index],
    );
  };
  verified(
    equalBytes(context.plan.rid, round.plan.rid) &&
      transcript.plan !== undefined &&
      equalBytes(sha256(encode(Envelope, transcript.plan)), sha256(encode(Envelope, round.plan.envelope))),
    'verify/not-logged',
    `the plan of the transcript of round ${String(plan.round)} is not the one in the log.`,
    [round.index],
  );
  same('start', transcript.attempt, attempt.start);
  same('request', transcript.request, attempt.t3);
  closed('U1', attempt.t1, keys.t1, toBitmap(keys.members.keys(), plan.n));
  closed('U2', attempt.t2, dealers.t2, toBitmap(dealers.members.keys(), plan.n));
  verified(
    attempt.t3 !== undefined && equalBytes(attempt.t3.t3, survivors.t3),
    'verify/other-transcript',
    `T3 of round ${String(plan.round)} is ${hex(survivors.t3)}, the log has another.`,
  );
  for (const { envelope } of fingerprints.values())
    same(`confirmation of ${envelope.signer}`, envelope, attempt.consistency.get(envelope.signer));
}

function closed(set: 'U1' | 'U2', statement: AttemptBook['t1'], transcript: Uint8Array, members: Uint8Array): void {
  verified(
    statement !== undefined && equalBytes(statement.transcript, transcript) && equalBytes(statement.members, members),
    'verify/other-transcript',
    `the log closes ${set} with other members or another hash than the transcript gives.`,
    statement === undefined ? [] : [statement.index],
  );
}
