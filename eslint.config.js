// Lint: strict types everywhere, and in the pure rooms nothing that could make a run differ from its replay.
import tseslint from 'typescript-eslint';

const PURE = ['base', 'crypto', 'vector', 'wire', 'transcript', 'privacy', 'model', 'protocol', 'job'];
const pureFiles = PURE.map((room) => `src/${room}/**/*.ts`);

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'src/*.d.ts', '.veilsum/**'] },
  {
    files: ['**/*.ts'],
    ignores: ['**/gen/**'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // `using` declarations exist for their disposal, not for their name.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // Generated code is parsed and held to no rule; ignored, it would be a warning wherever files are linted by name.
    files: ['**/gen/**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
  },
  {
    files: pureFiles,
    ignores: ['**/gen/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'Date',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'process',
          'performance',
          'fetch',
          'crypto',
          'console',
          'Buffer',
          'globalThis',
        ].map((name) => ({
          name,
          message: 'A pure room sees no clock, no process and no world: take it from an event or a port.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness arrives as a seed in an event.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'A pure room does not wait: return an effect.' },
        { selector: 'AwaitExpression', message: 'A pure room does not wait: return an effect.' },
        {
          selector: "MemberExpression[object.name='Atomics'][property.name='wait']",
          message: 'A pure room does not wait.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests reach into indexed arrays whose length they have just asserted.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    // The programs speak to a terminal through one small module each; tools print their report.
    files: ['tools/**/*.ts', '**/commands/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
