// How a job trains, in plain words.

import type { LossSettings } from '../model/index.js';
import { count } from './counted.js';
import type { LocalMethod, OptimiserSetting, Recipe } from './recipe-terms.js';
import type { UpdateSetting } from './update-rule.js';

export function trainingWords(recipe: Recipe): string[] {
  const { loss, optimiser, batchSize, localWork, maxGradientNorm } = recipe;
  const work = localWork.kind === 'epochs' ? count(localWork.epochs, 'pass', 'passes') : count(localWork.steps, 'step');
  return [
    `A round trains ${work} over the local records in batches of ${String(batchSize)}: ${lossWords(loss)}, ${optimiserWords(optimiser)}.`,
    ...scheduleWords(recipe),
    ...(maxGradientNorm === undefined
      ? []
      : [`The gradient of a step is cut to the length ${String(maxGradientNorm)}.`]),
  ];
}

function lossWords(loss: LossSettings): string {
  const weights =
    'classWeights' in loss && loss.classWeights.length > 0
      ? ` with class weights ${loss.classWeights.map(String).join(', ')}`
      : '';
  switch (loss.kind) {
    case 'huber':
      return `huber with delta ${String(loss.delta)}`;
    case 'focal':
      return `focal with gamma ${String(loss.gamma)}${weights}`;
    case 'cox':
      return 'cox (partial likelihood within a batch)';
    case 'binary-cross-entropy':
    case 'softmax-cross-entropy':
    case 'squared-error':
      return `${loss.kind}${weights}`;
  }
}

function optimiserWords(optimiser: OptimiserSetting): string {
  const extras = [
    ...(optimiser.kind === 'sgd' && optimiser.momentum > 0
      ? [`${optimiser.nesterov === true ? 'Nesterov ' : ''}momentum ${String(optimiser.momentum)}`]
      : []),
    ...((optimiser.weightDecay ?? 0) > 0 ? [`weight decay ${String(optimiser.weightDecay)}`] : []),
  ];
  const rate = `a learning rate of ${String(optimiser.learningRate)}`;
  return `${optimiser.kind} with ${[rate, ...extras].join(', ')}`;
}

function scheduleWords({ schedule, warmUpRounds }: Recipe): string[] {
  const lines: string[] = [];
  if (warmUpRounds > 0) lines.push(`The learning rate climbs over the first ${count(warmUpRounds, 'round')}.`);
  if (schedule.kind === 'step')
    lines.push(
      `The learning rate is multiplied by ${String(schedule.factor)} every ${count(schedule.everyRounds, 'round')}.`,
    );
  if (schedule.kind === 'cosine')
    lines.push(
      `The learning rate falls along a cosine to ${String(schedule.finalFactor)} of itself in the last round.`,
    );
  return lines;
}

export function methodWords(method: LocalMethod): string[] {
  switch (method.kind) {
    case 'plain':
      return [];
    case 'fed-prox':
      return [`Local training is pulled back to the common model with a strength of ${String(method.mu)} (FedProx).`];
    case 'fed-nova':
      return ['Each hospital’s change is divided by how far its own number of steps reaches (FedNova).'];
    case 'scaffold':
      return [
        'Local steps are corrected by control variates (SCAFFOLD). This hospital’s own is kept here, sealed, and never sent.',
        `What it changes by in a round, its L2 norm cut at ${String(method.controlClip)}, is sent inside the same masked vector.`,
      ];
  }
}

export function updateWords(update: UpdateSetting): string {
  const rate = String(update.learningRate);
  switch (update.kind) {
    case 'fed-avg':
      return `The mean change is applied with a step of ${rate}.`;
    case 'fed-avg-m':
      return `The mean change gains a momentum of ${String(update.momentum)} and is applied with a step of ${rate} (FedAvgM).`;
    case 'fed-adam':
      return `The mean change is applied by FedAdam with a step of ${rate}, beta1 ${String(update.beta1)}, beta2 ${String(update.beta2)}, tau ${String(update.tau)}.`;
    case 'fed-yogi':
      return `The mean change is applied by FedYogi with a step of ${rate}, beta1 ${String(update.beta1)}, beta2 ${String(update.beta2)}, tau ${String(update.tau)}.`;
    case 'fed-adagrad':
      return `The mean change is applied by FedAdagrad with a step of ${rate}, beta1 ${String(update.beta1)}, tau ${String(update.tau)}.`;
  }
}
