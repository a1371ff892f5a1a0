// The rooms of the house and what each may import. A room is entered only by its index.ts. docs/design/rooms.md says why.
// test/lint/canary.test.ts plants one violation per rule and sees each caught.

const pure = {
  base: [],
  crypto: ['base'],
  vector: ['base'],
  wire: ['base'],
  transcript: ['base', 'crypto', 'wire'],
  privacy: ['base', 'vector'],
  model: ['base', 'vector'],
  protocol: ['base', 'crypto', 'vector', 'wire', 'transcript', 'privacy'],
  job: ['base', 'crypto', 'vector', 'model', 'privacy', 'wire'],
  audit: ['base', 'crypto', 'vector', 'wire', 'transcript', 'model', 'protocol', 'job'],
};
const effectful = {
  system: ['base'],
  telemetry: ['base'],
  config: ['base', 'protocol', 'privacy', 'job'],
  storage: ['base', 'crypto', 'transcript', 'system'],
  pki: ['base', 'crypto', 'system'],
  dataset: ['base', 'vector', 'job', 'system'],
  compute: ['base', 'crypto', 'vector', 'protocol', 'job', 'system'],
  trainer: ['base', 'crypto', 'vector', 'model', 'job', 'privacy', 'system'],
  network: ['base', 'system'],
  transport: ['base', 'protocol', 'wire', 'pki', 'network'],
  enrolment: ['base', 'crypto', 'wire', 'protocol', 'system', 'pki', 'network'],
  upkeep: ['base', 'crypto', 'system', 'telemetry', 'network', 'pki', 'enrolment'],
};
// Each npm package has its home; nobody else imports it.
const homes = {
  '@noble/': ['src/crypto/'],
  '@bufbuild/protobuf/': ['src/wire/', 'src/model/'],
  '@grpc/': ['src/transport/'],
  'grpc-health-check/': ['src/transport/'],
  'onnxruntime-node/': ['src/trainer/'],
  'onnxruntime-common/': ['src/trainer/'],
  '@duckdb/': ['src/dataset/'],
  'pg-cursor/': ['src/dataset/'],
  'fast-png/': ['src/dataset/'],
  'lmdb/': ['src/storage/'],
  'pg/': ['src/storage/', 'src/dataset/'],
  '@aws-sdk/': ['src/storage/'],
  '@peculiar/x509/': ['src/pki/'],
  'reflect-metadata/': ['src/pki/'],
  'pino/': ['src/telemetry/'],
  'prom-client/': ['src/telemetry/'],
  '@opentelemetry/': ['src/telemetry/'],
  'yaml/': ['src/config/'],
  'zod/': ['src/config/'],
  'commander/': ['silo-agent/', 'coordinator/', 'auditor/', 'certs/', 'tools/'],
};

const any = (names) => `(${names.join('|')})`;
const escape = (text) => text.replace(/[/.]/g, '\\$&');
const rule = (name, from, to) => ({ name, severity: 'error', from, to });
const PROGRAMS = ['silo-agent', 'coordinator', 'auditor', 'certs', 'tools'];

module.exports = {
  forbidden: [
    rule('no-circular', {}, { circular: true }),
    rule('resolvable', {}, { couldNotResolve: true }),
    ...Object.entries({ ...pure, ...effectful }).map(([room, may]) =>
      rule(
        `room-${room}`,
        { path: `^src/${room}/` },
        { path: `^(src|test|${PROGRAMS.join('|')})/`, pathNot: `^src/${any([room, ...may])}/` },
      ),
    ),
    rule(
      'known-room',
      { path: '^src/', pathNot: `^src/${any([...Object.keys(pure), ...Object.keys(effectful)])}/` },
      { path: '.' },
    ),
    rule(
      'through-the-door',
      { path: '^src/([^/]+)/' },
      { path: '^src/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    ),
    rule(
      'programs-through-the-door',
      { path: `^${any(PROGRAMS)}/` },
      { path: '^src/', pathNot: '^src/[^/]+/index\\.ts$' },
    ),
    rule(
      'programs-apart',
      { path: '^(silo-agent|coordinator|auditor|certs)/' },
      { path: `^${any(PROGRAMS)}/`, pathNot: '^$1/' },
    ),
    rule(
      'roles-apart',
      { path: '^src/protocol/(silo|coordinator)/' },
      { path: '^src/protocol/(silo|coordinator)/', pathNot: '^src/protocol/$1/' },
    ),
    rule('nothing-imports-tests', { pathNot: '^test/' }, { path: '^test/' }),
    rule(
      'pure-no-node',
      { path: `^src/${any(Object.keys(pure).filter((r) => r !== 'crypto'))}/` },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'crypto-only-node-crypto',
      { path: '^src/crypto/' },
      { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    ),
    ...Object.entries(homes).map(([name, rooms]) =>
      rule(
        `home-${name.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')}`,
        { path: `^(src|${PROGRAMS.join('|')})/`, pathNot: `^${any(rooms.map(escape))}` },
        { path: `node_modules/${escape(name)}` },
      ),
    ),
    rule(
      'no-undeclared-package',
      { path: `^(src|${PROGRAMS.join('|')})/` },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
