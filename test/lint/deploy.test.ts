// What stands in deploy/ against the programs it starts: no container runs here, so files are parsed, and every command, flag, port, metric
// and event in them must exist.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readAuthorityConfig, readCoordinatorConfig } from '../../src/config/index.js';
import { EXIT } from '../../src/system/index.js';
import { EVENTS, METRICS } from '../../src/telemetry/index.js';

const MAIN: Record<string, string> = {
  'veilsum-coordinator': 'dist/coordinator/main.js',
  'veilsum-agent': 'dist/silo-agent/main.js',
  'veilsum-ca': 'dist/certs/main.js',
};
const text = (path: string): string => readFileSync(`deploy/${path}`, 'utf8');
const metricsPort = /metrics\.listen: 127\.0\.0\.1:(\d+)/.exec(text('container/agent.Containerfile'))![1]!;

/** Any YAML value; tests reach into it. */
interface Yaml {
  readonly [key: string]: Yaml | undefined;
}

function documents(path: string): Yaml[] {
  return parseAllDocuments(text(path), { merge: true, uniqueKeys: true }).map((document) => {
    expect(document.errors, path).toEqual([]);
    return document.toJS() as Yaml;
  });
}

function expectCommand(program: string, args: readonly string[]): void {
  const [command = '', ...options] = args;
  const help = execFileSync(process.execPath, [MAIN[program]!, command, '--help'], { encoding: 'utf8' });
  for (const option of options.filter((one) => one.startsWith('-'))) expect(help).toContain(option);
}

describe('service files', () => {
  it.each(readdirSync('deploy/systemd'))(
    '%s starts a command that exists, hardened, and not again where that is of no use',
    (file) => {
      const unit = text(`systemd/${file}`);
      const line = /^ExecStart=\/opt\/veilsum\/bin\/(\S+) (.+)$/m.exec(unit)!;
      expectCommand(line[1]!, line[2]!.split(' '));
      for (const setting of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'CapabilityBoundingSet=\n', 'UMask=0077'])
        expect(unit).toContain(setting);
      expect(unit).toMatch(/^User=veilsum/m);
      const final = `RestartPreventExitStatus=${[EXIT.usage, EXIT.refused, EXIT.storageDamaged].join(' ')}`;
      expect(unit).toContain(final);
      // Everything above the first section is a comment, and no setting stands twice by mistake.
      const keys = [...unit.matchAll(/^([A-Z]\w+)=/gm)]
        .map((match) => match[1])
        .filter((key) => key !== 'SystemCallFilter');
      expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
    },
  );
});

describe('containers', () => {
  it.each(['agent', 'coordinator'])(
    '%s is built in stages, runs as nobody in particular, and says how it is',
    (name) => {
      const file = text(`container/${name}.Containerfile`);
      expect(file.match(/^FROM /gm)).toHaveLength(2);
      expect(file).toMatch(/^USER 10001:10001$/m);
      expect(file).toMatch(new RegExp(`^HEALTHCHECK[\\s\\S]*127\\.0\\.0\\.1:${metricsPort}/healthz`, 'm'));
      const program = /^ENTRYPOINT \["\/opt\/veilsum\/bin\/(\S+)"\]$/m.exec(file)![1]!;
      expectCommand(program, JSON.parse(/^CMD (\[.*\])$/m.exec(file)![1]!) as string[]);
      for (const [, path = ''] of file.matchAll(/node (tools\/\S+\.js)/g))
        expect(readFileSync(path, 'utf8')).not.toBe('');
      expect(readFileSync('tools/bundle.js', 'utf8')).toContain("option('--folder')");
    },
  );

  it('are composed with a read-only root and without capabilities', () => {
    const [compose] = documents('compose.yaml');
    expect(Object.keys(compose!['services'] as unknown as object)).toEqual(['coordinator', 'agent']);
    for (const [name, service] of Object.entries(compose!['services'] as unknown as Record<string, Yaml>)) {
      expect(service).toMatchObject({ read_only: true, user: '10001:10001', cap_drop: ['ALL'] });
      expectCommand(`veilsum-${name}`, service['command'] as unknown as string[]);
      expect('ports' in service).toBe(name === 'coordinator');
    }
  });

  it.each(['agent', 'coordinator'])(
    '%s is deployed once, locked down, with ports that the configuration has',
    async (name) => {
      const [set, other] = documents(`kubernetes/${name}.yaml`);
      expect(set).toMatchObject({ kind: 'StatefulSet', spec: { replicas: 1 } });
      const pod = set!['spec']!['template']!['spec']!;
      expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
      const [container] = pod['containers'] as unknown as Yaml[];
      expect(container).toMatchObject({
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        },
      });
      expectCommand(`veilsum-${name}`, container!['args'] as unknown as string[]);
      const ports = (container!['ports'] as unknown as { name: string; containerPort: number }[]).map(
        (one) => one.containerPort,
      );
      const listen = Number((await readCoordinatorConfig('docs/samples/coordinator.yaml')).listen.split(':').at(-1));
      const authority = Number((await readAuthorityConfig('docs/samples/authority.yaml')).listen.split(':').at(-1));
      expect(ports).toEqual([...(name === 'coordinator' ? [listen] : []), Number(metricsPort)]);
      if (name === 'coordinator') expect(other).toMatchObject({ kind: 'Service', spec: { ports: [{ port: listen }] } });
      else
        expect(other).toMatchObject({
          kind: 'NetworkPolicy',
          spec: {
            egress: [{ ports: [{ port: listen }, { port: authority }] }, { ports: [{ port: 53 }, { port: 53 }] }],
          },
        });
      // Each mounted volume is there.
      const mounts = (container!['volumeMounts'] as unknown as { name: string }[]).map((one) => one.name);
      const volumes = [
        ...(pod['volumes'] as unknown as { name: string }[]).map((one) => one.name),
        ...(set!['spec']!['volumeClaimTemplates'] as unknown as { metadata: { name: string } }[]).map(
          (one) => one.metadata.name,
        ),
      ];
      expect(mounts.filter((mount) => !volumes.includes(mount))).toEqual([]);
    },
  );
});

describe('dashboard and alerts', () => {
  const dashboard = JSON.parse(text('grafana/veilsum.json')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const rules = (
    documents('prometheus/alerts.yaml')[0]!['groups'] as unknown as { rules: { alert: string; expr: string }[] }[]
  ).flatMap((group) => group.rules);
  const named = (expressions: readonly string[]): string[] =>
    expressions.flatMap((expr) =>
      [...expr.matchAll(/veilsum_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')),
    );

  it('name metrics that exist, and the dashboard shows them all', () => {
    const all = Object.keys(METRICS);
    expect(named([...shown, ...rules.map(({ expr }) => expr)]).filter((name) => !all.includes(name))).toEqual([]);
    expect(all.filter((name) => !named(shown).includes(name))).toEqual([]);
    // The search itself works.
    expect(named(['rate(veilsum_invented_bucket[1h])'])).toEqual(['veilsum_invented']);
  });

  it('name events that exist', () => {
    const events = rules.flatMap(({ expr }) => [...expr.matchAll(/event="([^"]+)"/g)].map((match) => match[1]!));
    expect(events.length).toBeGreaterThan(1);
    expect(events.filter((event) => !(event in EVENTS))).toEqual([]);
  });

  it('are documented, metric by metric and alert by alert', () => {
    const operations = readFileSync('docs/operations.md', 'utf8');
    for (const name of Object.keys(METRICS)) expect(operations).toContain(`| \`${name}\` |`);
    for (const { alert } of rules) expect(operations).toContain(`**\`${alert}\`**`);
  });
});
