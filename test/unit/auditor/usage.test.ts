// Command lines, configurations and connections that cannot work, each with its sentence and its exit code.

import { describe, expect, it } from 'vitest';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { createProgram } from '../../../auditor/program.js';
import { desk, runCommand } from './desk.js';

const COMMANDS: [string[], string[]][] = [
  [
    ['job', 'create'],
    ['<jobfile>', '--model <file>', '--dry-run'],
  ],
  [['jobs'], ['list the jobs']],
  [['rounds'], ['<job>', 'name of the job']],
  ...['pause', 'resume', 'abort'].map((name): [string[], string[]] => [
    ['job', name],
    ['<job>', '--reason <text>'],
  ]),
  [
    ['round', 'show'],
    ['<job>', '<round>', 'number of the round, from 1'],
  ],
  [
    ['round', 'abort'],
    ['<job>', '<round>', '--reason <text>'],
  ],
  [['silos', 'list'], ['every silo of the roster']],
  [['silos', 'show'], ['<silo>']],
  ...['deny', 'allow'].map((name): [string[], string[]] => [
    ['silos', name],
    ['<silo>', '--reason <text>'],
  ]),
  [['participation'], ['<job>', '--from <round>', '--to <round>']],
  [['ledger'], ['[job]', '--log']],
  [['acts'], ['by whom and when']],
  [['report'], ['<job>', '--out <file>', '--force']],
  [['model', 'inspect'], ['<']],
  [['watch'], ['<job>', 'Ctrl-C']],
  [['export'], ['<job>', '--out <file>', '--verify <forward.onnx>', '--force']],
  [['verify'], ['<bundle>', '--roster-hash <hash>', '--previous <note>']],
  [['evidence'], ['<file>', '--roster-hash <hash>']],
  [['log', 'tail'], ['--entries <count>']],
  [
    ['log', 'checkpoint'],
    ['--job <job>', '--out <file>', '--force'],
  ],
  [['log', 'proof'], ['<entry>']],
  [
    ['roster', 'hash'],
    ['<file>', 'which every member pins'],
  ],
  [
    ['roster', 'make'],
    ['<file.yaml>', '--out <file>', '--force'],
  ],
  [
    ['privacy', 'account'],
    ['--sampling <q>', '--noise <sigma>', '--steps <T>', '--delta <delta>'],
  ],
  [
    ['privacy', 'plan'],
    ['--eps <epsilon>', '--rounds <R>', '--silos <n>'],
  ],
];

describe('help', () => {
  it.each(COMMANDS)('of %s names its arguments', async (command, words) => {
    const { code, out, err } = await runCommand([...command, '--help']);
    expect([code, err]).toEqual([0, '']);
    const text = out.replace(/\s+/g, ' ');
    for (const word of words) expect(text).toContain(word);
  });

  it('of the program names every command and the options of all', async () => {
    const { code, out } = await runCommand(['--help']);
    expect(code).toBe(0);
    for (const word of [
      '--config <file>',
      '--json',
      'job',
      'jobs',
      'rounds',
      'round',
      'silos',
      'participation',
      'ledger',
      'acts',
      'report',
      'watch',
      'export',
      'roster',
      'privacy',
    ])
      expect(out).toContain(word);
    const world = { terminal: { print: () => undefined, note: () => undefined }, signal: new AbortController().signal };
    const program = createProgram({ ...world, connect: () => expect.unreachable() });
    const named = program.commands.flatMap((one) => (one.commands.length > 0 ? [...one.commands] : [one]));
    expect(named).toHaveLength(COMMANDS.length);
  });
});

describe('a command line', () => {
  it.each<[string, string[], string]>([
    ['without the configuration', ['jobs'], 'audit/no-config: expected the option --config FILE, got none.'],
    ['with a configuration that is not there', ['jobs', '--config', '/nowhere/client.yaml'], 'config/unreadable'],
    ['with a round that is no number', ['round', 'job-1', 'one'], 'Give a whole number from 1 to 100000.'],
    ['with round 0', ['round', 'job-1', '0'], 'Give a whole number from 1 to 100000.'],
    ['without a job', ['rounds'], "missing required argument 'job'"],
    ['with an unknown command', ['explode'], "unknown command 'explode'"],
    ['with an unknown option', ['jobs', '--verbose'], "unknown option '--verbose'"],
    ['without the place of an export', ['export', 'job-1'], "required option '--out <file>' not specified"],
  ])('%s is refused', async (_what, args, sentence) => {
    const { code, out, err } = await runCommand(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });

  it('that asks for JSON gets its errors as JSON too, on standard error', async () => {
    const { code, out, err } = await runCommand(['jobs', '--json']);
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toMatchObject({
      exitCode: 2,
      error: { code: 'audit/no-config', message: 'expected the option --config FILE, got none.' },
    });
  });
});

describe('a configuration', () => {
  it.each<[string, (text: string) => string, number, string]>([
    ['with an unknown key', (text) => `${text}adress: x\n`, 2, 'unknown key "adress"'],
    [
      'that pins another roster',
      (text) => text.replace(/hash: '.*'/, `hash: '${'ab'.repeat(32)}'`),
      2,
      'roster/wrong-hash',
    ],
    [
      'for another consortium',
      (text) => text.replace('consortium: test', 'consortium: other'),
      2,
      'audit/wrong-consortium: the configuration is for consortium "other"',
    ],
    ['whose authority is not there', (text) => text.replace('ca: ca.pem', 'ca: none.pem'), 2, 'system/not-found'],
    ['whose bundle is no bundle', (text) => text.replace('bundle: tls.pem', 'bundle: ca.pem'), 2, 'pki/'],
  ])('%s is refused', async (_what, config, expected, sentence) => {
    const { run } = await desk(new MemoryConsortium(4), { config });
    const { code, out, err } = await run('jobs');
    expect([code, out]).toEqual([expected, '']);
    expect(err).toContain(sentence);
  });
});

describe('a coordinator', () => {
  it('that cannot be reached is named with its address and what to check', async () => {
    // Port 1 of this machine: nobody listens there.
    const { run } = await desk(new MemoryConsortium(4), {
      config: (text) => text.replace(/address: '.*'/, "address: '127.0.0.1:1'"),
    });
    for (const args of [['jobs'], ['rounds', 'job-1'], ['export', 'job-1', '--out', '/nowhere/m.onnx']]) {
      const { code, err } = await run(...args);
      expect(code).toBe(3);
      expect(err).toContain('audit/unreachable: expected an answer of the coordinator at 127.0.0.1:1, got none');
      expect(err).toContain('DNS, firewall and proxy');
    }
  });

  it('that fails by itself is told apart from one that refuses', async () => {
    const { run } = await desk(new MemoryConsortium(4), {
      admin: () => ({ listJobs: () => Promise.reject(new Error('a bug')) }),
    });
    const { code, err } = await run('jobs');
    expect([code, err]).toEqual([1, expect.stringContaining('transport/internal')]);
  });

  it('refuses what an auditor may not do, whatever the command does', async () => {
    const at = await desk(new MemoryConsortium(4), { role: 'auditor', id: 'ada', key: 'auditor/ada' });
    await at.write('job.yaml', 'job: x\n');
    const { code, err } = await at.run('job', 'create', at.path('job.yaml'));
    expect([code, err]).toEqual([2, expect.stringMatching(/config\/invalid|audit\/not-operator/)]);
  });

  it('is not spoken to with a certificate of a silo', async () => {
    const { run } = await desk(new MemoryConsortium(4), { role: 'silo' as 'operator', id: 'silo-000' });
    const { code, err } = await run('jobs');
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('audit/no-identity: expected a certificate of an operator'),
    ]);
  });
});
