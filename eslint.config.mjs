// The boundary rules of docs/architecture.md, with ESLint's built-in rules: who may touch the world, and who may know whom.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const sdk = {
  group: ['@aws-sdk/*', '@aws-lambda-powertools/*', '@smithy/*'],
  message: 'only handlers and lambdas/aws talk to AWS: take an edge as an argument',
};
const etcd = { group: ['etcd3', 'etcd3/*', '@grpc/*'], message: 'only lambdas/etcd/client speaks to etcd: take an edge as an argument' };
const forge = { group: ['node-forge', 'node-forge/*'], message: 'only lambdas/pki handles certificates by node-forge' };
const cdk = { group: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs', 'cdk-nag'], message: 'run-time code cannot know CDK' };
const files = {
  // With and without `node:`, and what lies under them: fs/promises, dns/promises.
  regex: '^(node:)?(fs|child_process|cluster|net|tls|http|http2|https|dgram|dns|process|worker_threads)(/|$)',
  message: 'this room is plain data in, data out: take an edge as an argument',
};
const synthTime = {
  regex: '^(\\.\\./)+(lib|bin|local|test)(/|$)',
  message: 'run-time code cannot import synth-time code: share the name in lambdas/contract',
};
const anyone = { regex: '^\\.\\./', message: 'the contract knows nobody: everybody knows it' };
const feature = (...allowed) => ({
  regex: `lambdas/(?!(${allowed.join('|')})(/|$))`,
  message: `synth-time code imports only ${allowed.join(', ')} from lambdas`,
});

const imports = (...patterns) => ['error', { patterns }];
const world = [
  { object: 'process', property: 'env', message: 'only handlers read the environment' },
  { object: 'Date', property: 'now', message: 'take the clock as an argument' },
  { object: 'Math', property: 'random', message: 'take the source of randomness as an argument' },
];
const clock = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take the clock as an argument' },
  { selector: "CallExpression[callee.name='Date']", message: 'take the clock as an argument' },
  { selector: 'ImportExpression', message: 'import at the top, where the boundary rules see it' },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'cdk.out*/', '.lifeboat/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 350, skipComments: true, skipBlankLines: true }],
    },
  },
  // Run time: decisions and use cases are data in, data out.
  {
    files: ['lambdas/**/*.ts'],
    rules: {
      'no-restricted-imports': imports(sdk, etcd, forge, cdk, files, synthTime),
      'no-restricted-properties': ['error', ...world],
      'no-restricted-syntax': ['error', ...clock],
      'no-console': 'error',
    },
  },
  { files: ['lambdas/contract/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, etcd, forge, cdk, files, synthTime, anyone) } },
  // The edges: each opens exactly one door.
  { files: ['lambdas/aws/**/*.ts'], rules: { 'no-restricted-imports': imports(etcd, forge, cdk, files, synthTime) } },
  { files: ['lambdas/etcd/client/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, forge, cdk, synthTime) } },
  { files: ['lambdas/etcd/snapshot/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, etcd, forge, cdk, synthTime) } },
  { files: ['lambdas/nodes/**/*.ts'], rules: { 'no-restricted-imports': imports(etcd, forge, cdk, files, synthTime) } },
  { files: ['lambdas/kubernetes/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, etcd, forge, cdk, synthTime) } },
  { files: ['lambdas/ports/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, etcd, forge, cdk, synthTime) } },
  { files: ['lambdas/pki/**/*.ts'], rules: { 'no-restricted-imports': imports(sdk, etcd, cdk, files, synthTime) } },
  // Handlers compose the edges: they read the environment and the clock, and stay short.
  {
    files: ['lambdas/**/*.handler.ts'],
    rules: {
      'no-restricted-imports': imports(forge, cdk, etcd, synthTime),
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
      'max-lines': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['lambdas/aws/**/*.ts', 'lambdas/etcd/client/**/*.ts', 'lambdas/nodes/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off', 'no-restricted-properties': 'off' },
  },
  // Synth time knows the contract and nothing else of the run time.
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-imports': imports(sdk, etcd, forge, feature('contract')),
      'no-restricted-properties': ['error', ...world],
      'no-restricted-syntax': ['error', ...clock],
      '@typescript-eslint/no-deprecated': 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 450, skipComments: true, skipBlankLines: true }],
    },
  },
);
