// What must hold whatever happens, looked at with every message that leaves and every answer that comes (docs/protocol.md §2.7).

import { equalBytes, hex, type SiloId } from '../../src/base/index.js';
import {
  deadAfterAborts,
  layoutOfRound,
  openPlan,
  type Plan,
  type CoordinatorEffect,
  type CoordinatorState,
  type SiloEffect,
  type SiloEvent,
} from '../../src/protocol/index.js';
import {
  Abort,
  ComplaintAnswer,
  CoordinatorRecord,
  decode,
  Outcome,
  RoundResult,
  Unmask,
  type Directive,
  type Envelope,
} from '../../src/wire/index.js';
import { bytesOf, nextModel } from '../support/memory/vectors.js';
import { Broken, type SiloFace } from './face.js';
import { Histories } from './histories.js';
import { sumOf } from './inputs.js';
import { View, type Counts } from './view.js';

/** What a silo signs once in an attempt, whatever happens to it. */
const ONCE = new Set(['advertise', 'share-header', 'masked-header', 'consistency', 'unmask', 'decline']);
/** What a silo refuses of a log that is not the one it has read. */
const LOST_TRACK: ReadonlySet<string> = new Set(['log/shrunk', 'log/root', 'log/fork', 'log/entry', 'log/unread']);
const WHOLE = 1 << 26;

interface Place {
  readonly rid: string;
  readonly attempt: number;
  readonly n: number;
  readonly counts: Counts;
  readonly graph: Plan['graph'];
  readonly c: number;
  readonly cohort: readonly SiloId[];
}

type Released = Pick<Place, 'n' | 'c' | 'graph'>;

export class Oracle {
  readonly view = new View();
  readonly histories = new Histories();
  readonly #signed = new Map<string, string>();
  readonly #releases = new Map<string, Map<number, Released>>();
  /** By rid, then attempt: who signed an Abort that covers it. */
  readonly #aborts = new Map<string, Map<number, Set<string>>>();
  readonly #answered = new Map<string, Envelope>();
  readonly #models = new Map<string, string>();
  readonly #isMalicious: (silo: number) => boolean;
  readonly #isSetBack: (silo: number) => boolean;
  readonly #indexOf: ReadonlyMap<SiloId, number>;
  /** False while the coordinator lies: then only what concerns safety is demanded. */
  honestCoordinator = true;
  acks = 0;
  opens = 0;

  constructor(silos: readonly SiloId[], isMalicious: (silo: number) => boolean, isSetBack: (silo: number) => boolean) {
    this.#isSetBack = isSetBack;
    this.#indexOf = new Map(silos.map((id, index) => [id, index]));
    this.#isMalicious = isMalicious;
  }

  /** A message leaves a silo, for the first time or again. */
  sent(silo: SiloFace, envelope: Envelope): void {
    const place = placeOf(silo, envelope);
    if (envelope.type === 'abort') this.#aborted(silo, envelope);
    if (place !== undefined) this.#show(silo, place, envelope);
    if (this.#isMalicious(silo.index)) return;
    if (place !== undefined && ONCE.has(envelope.type)) {
      if (envelope.type === 'advertise' && this.#mayAdvertiseAnew(silo, place)) return;
      this.#once(`${silo.id} ${envelope.type} ${place.rid} ${place.attempt}`, envelope);
      if (envelope.type === 'unmask') this.#released(silo, place, envelope);
    } else if (ONCE.has(envelope.type))
      throw new Broken(`${silo.id} sends a ${envelope.type} that is not durable (G1)`);
  }

  /**
   * Whose disk was set back to before an advertisement that is in no U1 of the log has no means to know of it, and has dealt nothing
   * under it: other keys are harmless, since a U1 with the first ones is refused (docs/protocol.md §4.5). What is dealt, is dealt once.
   */
  #mayAdvertiseAnew({ id, index }: SiloFace, { rid, attempt }: Place): boolean {
    return this.#isSetBack(index) && !this.#signed.has(`${id} share-header ${rid} ${attempt}`);
  }

  #once(name: string, envelope: Envelope): void {
    const bytes = hex(envelope.payload);
    const before = this.#signed.get(name);
    this.#signed.set(name, bytes);
    if (before !== undefined && before !== bytes) throw new Broken(`other bytes were signed before: ${name} (G2, G3)`);
  }

  #aborted(silo: SiloFace, envelope: Envelope): void {
    const { rid, attempt } = decode(Abort, 'abort', envelope.payload);
    const ofRound = this.#aborts.get(hex(rid)) ?? new Map<number, Set<string>>();
    this.#aborts.set(hex(rid), ofRound);
    const releases = this.#releases.get(`${silo.id} ${hex(rid)}`) ?? [];
    for (const [released, { n, c, graph }] of this.#isMalicious(silo.index) ? [] : releases) {
      // An Abort covers every earlier attempt. One in which it has released must be dead without it.
      const others = new Set(ofRound.get(released)).size;
      if (released === attempt || (released < attempt && others < deadAfterAborts(n, c, graph)))
        throw new Broken(`${silo.id} gives up attempt ${attempt}, in which it has released (G3)`);
    }
    for (let covered = 1; covered <= attempt; covered++)
      ofRound.set(covered, (ofRound.get(covered) ?? new Set()).add(envelope.signer));
  }

  #released(silo: SiloFace, { rid, attempt, n, c, graph }: Place, envelope: Envelope): void {
    const { selfShares, keyShares } = decode(Unmask, 'unmask', envelope.payload);
    const self = new Set(selfShares.map(({ dealer }) => dealer));
    if (keyShares.some(({ dealer }) => self.has(dealer)))
      throw new Broken(`${silo.id} released both shares of one member (G3)`);
    const before = this.#releases.get(`${silo.id} ${rid}`) ?? new Map<number, Released>();
    this.#releases.set(`${silo.id} ${rid}`, before.set(attempt, { n, c, graph }));
    for (const other of before.keys()) {
      if (other === attempt) continue;
      const dead = this.#aborts.get(rid)?.get(Math.min(other, attempt))?.size ?? 0;
      if (dead < deadAfterAborts(n, c, graph))
        throw new Broken(`${silo.id} released in attempts ${other} and ${attempt} of one round (G3)`);
    }
  }

  /** Whether this honest silo ever released shares. */
  hasReleased(silo: SiloId): boolean {
    return [...this.#releases.keys()].some((name) => name.startsWith(`${silo} `));
  }

  /** What the coordinator and its helpers learn from a message. */
  #show(silo: SiloFace, { rid, counts, attempt, cohort }: Place, envelope: Envelope): void {
    const name = String(attempt);
    const index = (member: number): number => this.#indexOf.get(cohort[member]!)!;
    if (envelope.type === 'unmask') {
      const { selfShares, keyShares } = decode(Unmask, 'unmask', envelope.payload);
      for (const { dealer } of selfShares) this.view.released(rid, counts, name, 'self', index(dealer), silo.index);
      for (const { dealer } of keyShares) this.view.released(rid, counts, name, 'key', index(dealer), silo.index);
    } else if (envelope.type === 'answer') {
      const { recipient } = decode(ComplaintAnswer, 'answer', envelope.payload);
      for (const kind of ['self', 'key'] as const)
        this.view.released(rid, counts, name, kind, silo.index, index(recipient));
    } else if (envelope.type === 'share-header')
      for (const job of silo.state.jobs.values()) {
        const { open } = job;
        if (open === undefined || hex(open.plan.rid) !== rid) continue;
        const { keys } = open.attempt;
        for (const member of keys?.members.keys() ?? [])
          if (keys?.graph.holds(member, open.index) === true)
            this.view.dealt(rid, counts, name, silo.index, index(member));
      }
  }

  /** A masked input leaves. */
  uploading(
    silo: SiloFace,
    { plan, attempt }: Pick<Extract<SiloEffect, { kind: 'mask-and-upload' }>, 'plan' | 'attempt'>,
  ): void {
    const open = silo.state.jobs.get(plan.jobId)?.open;
    const dealers = open?.attempt.dealers;
    if (open === undefined || dealers === undefined || hex(open.plan.rid) !== hex(plan.rid)) return;
    const { contribution } = open;
    if (contribution.kind === 'ready' && contribution.charged === undefined)
      throw new Broken(`${silo.id} sends a masked input of round ${plan.round} that it has not charged`);
    const input = contribution.kind === 'ready' ? contribution.inputKeys.map(hex).join('+') : '';
    const neighbours = [...dealers.members.keys()].filter(
      (member) => open.attempt.keys?.graph.adjacent(open.index, member) === true,
    );
    this.view.uploaded(hex(plan.rid), countsOf(plan), {
      silo: silo.index,
      attempt: String(attempt),
      input,
      t2: hex(dealers.t2),
      dealers: neighbours.map((member) => this.#indexOf.get(plan.cohort[member]!)!),
    });
  }

  /** The coordinator has opened a sum. */
  opened({ context, survivors }: Extract<CoordinatorEffect, { kind: 'open-sum' }>, words: Int32Array): void {
    this.opens++;
    if (!this.honestCoordinator) return;
    const members = [...survivors.members.keys()].map((member) => this.#indexOf.get(context.plan.cohort[member]!)!);
    const expected = sumOf(members, words.length);
    if (!words.every((value, k) => value === expected[k]))
      throw new Broken(
        `the opened sum is ${words.join(',')}, the survivors ${members.join(',')} give ${expected.join(',')}`,
      );
  }

  /** An honest silo accepts an event: its log goes on (G7), and an Ack rests on the true sum of the survivors (G6). */
  accepted(silo: SiloFace, event: SiloEvent, effects: readonly SiloEffect[]): void {
    if (this.#isMalicious(silo.index)) return;
    const isNew = effects.some(({ kind }) => kind === 'persist');
    if (isNew) this.histories.accepted(silo.id, event);
    if (event.$case !== 'resultVerified') return;
    const acknowledges = effects.some(
      (one) => one.kind === 'persist' && one.emitted.some(({ type }) => type === 'ack'),
    );
    if (!acknowledges) return;
    this.acks++;
    const job = silo.state.jobs.get(event.value.jobId as never)!;
    const plan = openPlan(silo.state.self.roster, event.value.plan);
    const { selfSecrets } = decode(RoundResult, 'result', event.value.result!.payload, WHOLE);
    const members = selfSecrets.map(({ index }) => this.#indexOf.get(plan.cohort[index]!)!);
    const sum = sumOf(members, layoutOfRound(job.manifest, plan.round).length);
    const rejected = event.value.outcome === Outcome.OUTCOME_REJECTED;
    const model = rejected ? plan.modelHash : nextModel(plan.modelHash, bytesOf(sum));
    if (!equalBytes(model, event.value.newModelHash))
      throw new Broken(`${silo.id} acknowledges a wrong sum in round ${plan.round} (G6)`);
    const name = `${plan.jobId} ${plan.round}`;
    const known = hex(event.value.newModelHash);
    if ((this.#models.get(name) ?? known) !== known) throw new Broken(`two models were acknowledged for ${name} (G6)`);
    this.#models.set(name, known);
  }

  /** G5: an honest coordinator keeps one log, so an honest silo that can not follow it would be left behind for ever. */
  refused({ id, index }: SiloFace, code: string): void {
    if (this.honestCoordinator && !this.#isMalicious(index) && LOST_TRACK.has(code))
      throw new Broken(`${id} can not follow the log of an honest coordinator: ${code} (G5)`);
  }

  answered(envelope: Envelope): void {
    // One for a checkpoint that a newer one has replaced is answered and not kept: nothing rests on it.
    if (envelope.type === 'cosign') return;
    this.#answered.set(hex(envelope.signature), envelope);
  }

  /** G4: what was answered is in the journal. */
  coordinatorRecovered(state: CoordinatorState, records: readonly Uint8Array[]): void {
    const kept = new Set<string>();
    for (const bytes of records) {
      const { event } = decode(CoordinatorRecord, 'record', bytes, WHOLE);
      if (event?.$case === 'messageReceived') kept.add(hex(event.value.envelope!.signature));
    }
    for (const [signature, envelope] of this.#answered)
      if (!kept.has(signature)) throw new Broken(`an answered ${envelope.type} of ${envelope.signer} is lost (G4)`);
    const acks = [...state.jobs.values()].flatMap(({ closed }) => closed.flatMap((round) => [...round.acks.values()]));
    const known = new Set(acks.map((ack) => hex(ack.signature)));
    for (const [signature, { type, signer }] of this.#answered)
      if (type === 'ack' && !known.has(signature)) throw new Broken(`an Ack of ${signer} is lost (G4)`);
  }

  /** The numbers of what a silo is told grow. */
  directives(silo: SiloId, directives: readonly Directive[]): void {
    directives.forEach(({ sequence, body }, k) => {
      if (k > 0 && sequence <= directives[k - 1]!.sequence)
        throw new Broken(`two directives to ${silo} share a place: ${body?.$case ?? ''}`);
    });
  }
}

/** The attempt that a message of a silo belongs to, read off the silo's own state. */
function countsOf({ t, graph, least }: Plan): Counts {
  return { shares: graph?.shareThreshold ?? t, least };
}

function placeOf({ state }: SiloFace, envelope: Envelope): Place | undefined {
  for (const { open, manifest } of state.jobs.values()) {
    if (open === undefined) continue;
    const { plan, attempt, releasedIn } = open;
    const current = attempt.context.attempt.attempt;
    const is = (one: Envelope | undefined): boolean =>
      one !== undefined && one.type === envelope.type && equalBytes(one.signature, envelope.signature);
    const place = {
      rid: hex(plan.rid),
      attempt: current,
      n: plan.n,
      counts: countsOf(plan),
      graph: plan.graph,
      c: Math.max(manifest.maxMalicious, state.self.policy.maxMalicious),
      cohort: plan.cohort,
    };
    const answers = [...(attempt.answers?.values() ?? [])];
    const own = [
      attempt.advertised,
      attempt.dealt?.envelope,
      attempt.masked?.envelope,
      attempt.signed,
      attempt.declined,
    ];
    if ([...own, ...answers].some(is)) return place;
    if (is(releasedIn?.unmask)) return { ...place, attempt: releasedIn!.attempt };
  }
  return undefined;
}
