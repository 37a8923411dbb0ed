import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const NODE_GLOBALS = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'Request',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'URLSearchParams',
  'WebSocket',
  'atob',
  'btoa',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
];
const PAGE_GLOBALS = [
  'document',
  'location',
  'navigator',
  'window',
  'Blob',
  'File',
  'FileReader',
  'Event',
  'MessageEvent',
];

const readonly = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

/** Whatever waits, looks at the platform or draws randomness comes into protocol/ as an argument. */
const FORBIDDEN_IN_PROTOCOL = [
  'Buffer',
  'Date',
  'WebSocket',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'navigator',
  'performance',
  'process',
  'queueMicrotask',
  'self',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'window',
];

/** What src/base/captured.ts takes when it loads, and what else of its kind may be another one by the time that a connection runs. */
const CAPTURED = new Set([
  ...['Promise', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'URL', 'DOMException', 'MessageChannel', 'Blob'],
  ...[
    'AbortController',
    'TextEncoder',
    'TextDecoder',
    'queueMicrotask',
    'structuredClone',
    'btoa',
    'atob',
    'performance',
  ],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'crypto'],
]);

/** As no-restricted-globals, which would refuse the names of types too. */
const capturedGlobals = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    'Program:exit'(program) {
      const [globals] = context.sourceCode.scopeManager.scopes;
      const references = [...globals.through, ...globals.variables.flatMap((variable) => variable.references)];
      for (const { identifier, isValueReference } of references) {
        if (!isValueReference || !CAPTURED.has(identifier.name) || isOfType(identifier)) continue;
        context.report({
          node: identifier ?? program,
          message: `'${identifier.name}' may be another one by now: import it from base/captured.ts.`,
        });
      }
    },
  }),
};

/** `typeof setTimeout` among types. */
const isOfType = ({ parent }) => parent.type === 'TSTypeQuery' || parent.type === 'TSQualifiedName';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.cache/', 'node_modules/', '**/dist/', '**/target/', 'docs/api/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      'no-var': 'error',
      'prefer-const': 'error',
      'prefer-rest-params': 'error',
      'no-unreachable-loop': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    // The root's program maps our packages' names to their sources: the linter needs no build.
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: "Use the platform's CSPRNG, or a seeded generator in tests." },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Functions that give MaybePromise are async in one implementation and not in another.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'packages/*/src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 450, skipComments: true, skipBlankLines: true }],
      'no-console': 'error',
      'no-restricted-imports': [
        'error',
        {
          name: 'node:process',
          message:
            'Imported as an ES module, it opens the standard streams of whoever loads this package: use the global.',
        },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  // What runs in a page finds there what the page has put there since. Node's own code, which no page loads, has nobody to fear.
  {
    files: ['src/**/*.ts'],
    ignores: [
      'src/base/captured.ts',
      'src/base/own-timers-node.ts',
      'src/base/own-timers.ts',
      'src/base/clock.ts',
      'src/crypto/node/**',
      'src/platform/node*',
      'src/platform/node-frames/**',
      'src/register*.ts',
    ],
    plugins: { 'pq-websocket': { rules: { 'captured-globals': capturedGlobals } } },
    rules: { 'pq-websocket/captured-globals': 'error' },
  },
  // A page's console is where its developer looks.
  { files: ['packages/cli/src/cli.ts', 'src/platform/web-platform.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['src/protocol/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...FORBIDDEN_IN_PROTOCOL.map((name) => ({
          name,
          message: 'protocol/ has no platform: clocks and randomness are arguments.',
        })),
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      // Tests give wrong types on purpose and read JSON; no-explicit-any still holds.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:timers/promises', 'timers/promises'].map((name) => ({
            name,
            message: 'Tests wait for events, not for time: see test/support/deferred.ts.',
          })),
        },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: readonly(NODE_GLOBALS) },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: readonly(['require', 'module', 'exports', '__dirname', '__filename']),
    },
  },
  {
    files: ['examples/**/*.{js,mjs}', 'test/browser/**/*.{js,mjs}', 'test/libraries/**/*.js'],
    languageOptions: { globals: readonly(PAGE_GLOBALS) },
  },
  {
    files: ['site/**/*.js'],
    languageOptions: { globals: readonly([...PAGE_GLOBALS, 'MutationObserver']) },
  },
  {
    files: ['packages/devtools/src/*.js'],
    languageOptions: {
      globals: readonly([...PAGE_GLOBALS, ...['Element', 'HTMLElement', 'HTMLInputElement', 'HTMLSelectElement']]),
    },
  },
  {
    files: ['examples/cloudflare-durable-object/*.js', 'examples/hono/*.js'],
    languageOptions: { globals: readonly(['Bun', 'Deno', 'Response', 'WebSocketPair']) },
  },
);
