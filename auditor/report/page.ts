// A report as one HTML page: it needs nothing beside itself, no script and no network, and prints.

import { hex } from '../../src/base/index.js';
import { participationCell } from '../commands/participation.js';
import { durationWord, kindWord, numberWord, stateWord, timeWord, unitWord } from '../words.js';
import type { ReportFacts, RoundFacts } from './facts.js';
import { bars, escaped, grid, lines, type Picture, type Series } from './svg.js';

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 780px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: 0; } h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #ccc; }
p.sub { color: #444; margin-top: 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.87em; } th, td { text-align: left; padding: 2px 8px 2px 0; vertical-align: top; }
th { border-bottom: 1px solid #999; } tr:nth-child(even) td { background: #f6f7f9; } td.n, th.n { text-align: right; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 11px; fill: #333; } svg text.light { fill: #fff; }
svg .grid { stroke: #ddd; } svg .mark { stroke: #111; stroke-width: 2; } svg .cell { stroke: #bbb; stroke-width: 0.5; }
.legend { font-size: 0.87em; margin: 0.2em 0; } .legend span { margin-right: 1.2em; } .legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
footer { margin-top: 3em; color: #444; font-size: 0.87em; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } section { break-inside: avoid; } section.long { break-inside: auto; } tr { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

export function reportPage(facts: ReportFacts): string {
  const { job, coordinator, madeAt, rounds } = facts;
  const sections = [
    section('What it is', summary(facts)),
    section('Convergence', convergence(rounds)),
    section('Survivors', survivors(rounds)),
    section('Participation', participation(facts)),
    section('Time by phase', phaseTimes(rounds)),
    section('Privacy spent', privacySpent(facts)),
    section('Checkpoint history', checkpoints(facts)),
    section('Slices', sliceTable(rounds), 'long'),
    section('Rounds', roundTable(rounds), 'long'),
    section('Metrics', metricTables(rounds), 'long'),
    section('Notes', notes(rounds), 'long'),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Job ${escaped(job.jobId)}</title><style>${STYLE}</style></head>
<body><h1>Job ${escaped(job.jobId)}</h1><p class="sub">Consortium ${escaped(coordinator.consortium)}, report of ${escaped(madeAt)}</p>
${sections.join('\n')}
<footer>Written by veilsum-audit from what the coordinator (version ${escaped(coordinator.version)}) answered. It shows what was reported and checks no signature.</footer>
</body></html>
`;
}

function section(title: string, content: string | undefined, kind = ''): string {
  return content === undefined || content === ''
    ? ''
    : `<section class="${kind}"><h2>${escaped(title)}</h2>${content}</section>`;
}

function summary({ job, rounds }: ReportFacts): string {
  const closed = rounds.filter(({ ms }) => ms !== null);
  const count = (outcome: string): string => String(rounds.filter((round) => round.outcome === outcome).length);
  const rows: [string, string][] = [
    ['Kind', kindWord(job.kind)],
    ['State', `${stateWord(job.state)}${job.reason === '' ? '' : `: ${job.reason}`}`],
    ['Created', timeWord(job.createdUnixMs) ?? '-'],
    [
      'Silos',
      `${String(job.silos.length)} named, ${String(job.approvedBy.length)} approved, ${String(job.refusedBy.length)} refused`,
    ],
    ...(job.barred.length === 0 ? [] : ([['Barred', job.barred.join(', ')]] satisfies [string, string][])),
    [
      'Rounds',
      `${String(job.roundsDone)} of ${String(job.roundLimit)}: ${count('applied')} applied, ${count('rejected')} rejected, ${count('abandoned')} abandoned`,
    ],
    ['Time in rounds', durationWord(closed.reduce((sum, { ms }) => sum + (ms ?? 0), 0))],
  ];
  const hashes: [string, Uint8Array][] = [
    ['Manifest hash', job.manifestHash],
    ['Model hash', job.modelHash],
    ['Last result hash', job.lastResultHash],
  ];
  return table([
    ...rows.map(([name, value]) => [escaped(name), escaped(value)]),
    ...hashes.filter(([, hash]) => hash.length > 0).map(([name, hash]) => [escaped(name), `<code>${hex(hash)}</code>`]),
  ]);
}

function pictureOf(rounds: readonly RoundFacts[], title: string): Picture {
  return { title, labels: rounds.map(({ round }) => String(round)), axis: 'round' };
}

/** Loss has a scale of its own; what lies between 0 and 1 shares one. */
function convergence(rounds: readonly RoundFacts[]): string {
  const shown = rounds.filter(({ metrics }) => Object.keys(metrics).length > 0);
  const series = (name: string): Series => ({ name, values: shown.map(({ metrics }) => metrics[name] ?? null) });
  const known = (name: string): boolean => shown.some(({ metrics }) => metrics[name] !== undefined);
  const shares = ['auc', 'accuracy'].filter(known).map(series);
  const parts = [
    known('loss') ? lines(pictureOf(shown, 'Loss by round'), [series('loss')]) : '',
    shares.length > 0 ? lines(pictureOf(shown, 'AUC and accuracy by round'), shares) : '',
  ];
  const drawn = parts.join('');
  return drawn === '' ? '' : `<p>Of the model that each round started from, read from the opened sum.</p>${drawn}`;
}

function survivors(rounds: readonly RoundFacts[]): string {
  if (rounds.length === 0) return '';
  const inSum = rounds.map((round) => round.inSum);
  return bars(
    pictureOf(rounds, 'Silos in the sum by round'),
    [
      { name: 'in the sum', values: inSum },
      { name: 'in the cohort, not in the sum', values: rounds.map(({ cohort }, i) => cohort - (inSum[i] ?? 0)) },
    ],
    { name: 'threshold: fewer open no sum', values: rounds.map(({ threshold }) => threshold) },
  );
}

function participation({ participation: { silos, rounds } }: ReportFacts): string {
  if (rounds.length === 0) return '';
  const picture = { title: 'Participation', labels: rounds.map(({ round }) => String(round)), axis: 'round' };
  const drawn = grid(picture, silos, (row, column) => {
    const round = rounds[column];
    return round === undefined ? { letter: '', shade: 0 } : participationCell(round, row);
  });
  return `${drawn}<p class="legend">A: in the sum, result acknowledged. D: disputed. 3: in the sum. 2: dealt shares. 1: sent keys. 0: in the cohort. Empty: not in the cohort.</p>`;
}

function phaseTimes(rounds: readonly RoundFacts[]): string {
  const closed = rounds.filter(({ phases }) => phases.length > 0);
  const names = [...new Set(closed.flatMap(({ phases }) => phases.map(({ phase }) => phase)))];
  if (names.length === 0) return '';
  const series = names.map((name) => ({
    name,
    values: closed.map(({ phases }) => (phases.find(({ phase }) => phase === name)?.ms ?? 0) / 1000),
  }));
  return `<p>Seconds, all attempts of a round together.</p>${bars(pictureOf(closed, 'Seconds by phase'), series)}`;
}

/** Each hospital's charges: they are counted by itself and signed in its Acks. */
function privacySpent({ ledger, job }: ReportFacts): string {
  if (ledger.length === 0) return '';
  const noisy = ledger.some(({ roundsWithNoise }) => roundsWithNoise > 0);
  const picture = { title: 'Rounds charged by silo', labels: ledger.map(({ siloId }) => siloId), axis: '' };
  const drawn = bars(
    picture,
    [
      { name: 'rounds with noise', values: ledger.map(({ roundsWithNoise }) => roundsWithNoise) },
      { name: 'rounds without noise', values: ledger.map((line) => line.rounds - line.roundsWithNoise) },
    ],
    {
      name: 'rounds charged to the data set so far, over all jobs',
      values: ledger.map(({ roundsOfDataSet }) => Number(roundsOfDataSet)),
    },
  );
  const rows = ledger.map((line) => [
    escaped(line.siloId),
    String(line.rounds),
    String(line.roundsWithNoise),
    line.roundsWithNoise === 0 ? 'no bound: without noise' : epsilonWord(line),
    String(line.roundsOfDataSet),
  ]);
  const says = noisy
    ? 'Epsilon is that of all sums with noise together, and protects the unit that stands beside it, not a whole hospital unless it says so; rounds without noise are covered by no epsilon.'
    : `The sums of ${escaped(job.jobId)} carry no noise: what they tell is bounded by the number of hospitals in each alone.`;
  return `<p>${says}</p>${drawn}${table(rows, ['Silo', 'Rounds charged', 'With noise', 'Epsilon', 'Of its data set'])}`;
}

function epsilonWord({ epsilon, delta, unit }: ReportFacts['ledger'][number]): string {
  return Number.isFinite(epsilon)
    ? `${numberWord(epsilon)} at delta ${String(delta)}, for one ${escaped(unitWord(unit))}`
    : 'none proven';
}

/** Attempts that are shown one by one. */
const CHECKPOINT_ROWS = 40;

function checkpoints({ checkpoints: history }: ReportFacts): string {
  if (history === undefined) return '';
  const { uses, newest } = history;
  const picture = {
    title: 'Entries behind the checkpoint that each attempt rested on',
    labels: uses.map(({ round, attempt }) => (attempt === 1 ? String(round) : `${String(round)}.${String(attempt)}`)),
    axis: 'round, or round.attempt',
  };
  const drawn = uses.length < 2 ? '' : lines(picture, [{ name: 'entries', values: uses.map(({ size }) => size) }]);
  const shown = uses.slice(-CHECKPOINT_ROWS);
  const rows = shown.map(({ round, attempt, at, size, root }) => [
    `${String(round)}.${String(attempt)}`,
    escaped(at),
    String(size),
    `<code>${escaped(root)}</code>`,
  ]);
  return `<p>Newest checkpoint with a quorum: ${String(newest.size)} of ${String(newest.logSize)} entries, root <code>${escaped(newest.root)}</code>, cosigned by ${escaped(newest.cosignedBy.join(', '))}.</p>${drawn}${table(rows, ['Attempt', 'Began', 'Entries', 'Root that it rested on'])}`;
}

/** Metrics side by side: more of them would leave the page. */
const METRIC_COLUMNS = 7;

function metricTables(rounds: readonly RoundFacts[]): string {
  const metrics = [...new Set(rounds.flatMap((round) => Object.keys(round.metrics)))].filter(
    (name) => sliceOf(name) === undefined,
  );
  const groups = Array.from({ length: Math.ceil(metrics.length / METRIC_COLUMNS) }, (_, k) =>
    metrics.slice(k * METRIC_COLUMNS, (k + 1) * METRIC_COLUMNS),
  );
  return groups
    .map((names) =>
      table(
        rounds.map(({ round, metrics: values }) => [
          String(round),
          ...names.map((name) => (values[name] === undefined ? '-' : numberWord(values[name]))),
        ]),
        ['Round', ...names],
      ),
    )
    .join('<p></p>');
}

function roundTable(rounds: readonly RoundFacts[]): string {
  const header = ['Round', 'Outcome', 'Attempts', 'In sum', 'Acknowledged', 'Disputed', 'Time'];
  return rounds.length === 0
    ? ''
    : table(
        rounds.map((round) => [
          String(round.round),
          round.outcome ?? 'open',
          String(round.attempts),
          `${String(round.inSum)}/${String(round.cohort)}`,
          String(round.acknowledged),
          String(round.disputed),
          round.ms === null ? '-' : durationWord(round.ms),
        ]),
        header,
      );
}

/** A metric of the records of one category, such as `auc [sex = female]`, by metric and category. */
function sliceOf(name: string): readonly [metric: string, slice: string] | undefined {
  const parts = /^(\S+) \[(.+)\]$/u.exec(name);
  return parts?.[1] === undefined || parts[2] === undefined ? undefined : [parts[1], parts[2]];
}

/** The last round that measured slices. */
function sliceTable(rounds: readonly RoundFacts[]): string {
  const last = rounds.findLast(({ metrics }) => Object.keys(metrics).some((name) => sliceOf(name) !== undefined));
  if (last === undefined) return '';
  const found = Object.keys(last.metrics)
    .map(sliceOf)
    .filter((parts) => parts !== undefined);
  const metrics = [...new Set(found.map(([metric]) => metric))];
  const cells = [...new Set(found.map(([, slice]) => slice))].map((slice) => [
    escaped(slice),
    ...metrics.map((metric) => {
      const value = last.metrics[`${metric} [${slice}]`];
      return value === undefined ? '-' : numberWord(value);
    }),
  ]);
  return `<p>Round ${String(last.round)}, for the records of each category by itself. Hospitals with few records of a category leave it out (silos-left-out).</p>${table(cells, ['Records with', ...metrics])}`;
}

function notes(rounds: readonly RoundFacts[]): string {
  const rows = rounds.flatMap((round) => round.notes.map((note) => [String(round.round), escaped(note)]));
  return rows.length === 0 ? '' : table(rows, ['Round', 'What happened']);
}

/** Cells are HTML already. */
function table(rows: readonly (readonly string[])[], header?: readonly string[]): string {
  const head = header === undefined ? '' : `<tr>${header.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr>`;
  return `<table>${head}${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`;
}
