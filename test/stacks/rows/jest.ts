import type { Row } from '../row.js';
import { SWC_LEGACY, SWC_LEGACY_TYPES, SWC_STANDARD, swcOptions } from './swc.js';
import { BOTH_FLAGS, ONE_FLAG, SET_BOTH_FLAGS, SET_ONE_FLAG, SET_TARGET, tsconfig } from './tsconfig.js';

const JEST = 'node $TOOLS/jest/bin/jest.js';
const VM_MODULES = 'NODE_OPTIONS=--experimental-vm-modules';

/** Written as `./program.js` in a source, and `program.ts` in its folder. */
const moduleNameMapper = { '^(\\.{1,2}/.*)\\.js$': '$1' };

const inEsm = (transform: string, options: object) => ({
  'jest.config.json': {
    extensionsToTreatAsEsm: ['.ts'],
    moduleNameMapper,
    transform: { '\\.ts$': [transform, options] },
  },
});

/** In an ES module, with Node's flag: Hopline is loaded as it is. */
const esm = { isTest: true, run: `${VM_MODULES} ${JEST}` } as const;
const tsJest = { ...esm, tool: 'ts-jest 29.4' } as const;
const tsJestFiles = (flags: object) => ({
  ...inEsm('ts-jest', { useESM: true }),
  ...tsconfig({ ...flags, isolatedModules: true, types: ['node', 'jest'] }),
});
const swcJest = { ...esm, tool: '@swc/jest 0.2' } as const;

const IN_ESM: readonly Row[] = [
  {
    ...tsJest,
    kind: 'types',
    program: 'constructor-types',
    set: SET_BOTH_FLAGS,
    files: tsJestFiles(BOTH_FLAGS),
  },
  {
    ...tsJest,
    kind: 'named',
    program: 'named-dependencies',
    set: SET_ONE_FLAG,
    files: tsJestFiles(ONE_FLAG),
  },
  { ...tsJest, kind: 'standard', program: 'named-dependencies', set: SET_TARGET, files: tsJestFiles({}) },
  {
    ...swcJest,
    kind: 'types',
    program: 'constructor-types',
    set: 'as swc',
    files: inEsm('@swc/jest', swcOptions(SWC_LEGACY_TYPES)),
  },
  {
    ...swcJest,
    kind: 'named',
    program: 'named-dependencies',
    set: 'as swc',
    files: inEsm('@swc/jest', swcOptions(SWC_LEGACY)),
  },
  {
    ...swcJest,
    kind: 'standard',
    program: 'named-dependencies',
    set: 'as swc',
    files: inEsm('@swc/jest', swcOptions(SWC_STANDARD)),
  },
];

/** Compiles Hopline, too: Jest's own `require()` takes no ES module. */
const inCommonJs = (transform: Readonly<Record<string, unknown>>) => ({
  'jest.config.json': {
    moduleNameMapper,
    transform,
    transformIgnorePatterns: ['node_modules/(?!hopline/)'],
  },
});

const commonJs = {
  isTest: true,
  isCommonJs: true,
  isAside: true,
  kind: 'types',
  program: 'constructor-types',
} as const;
const commonJsTsconfig = tsconfig({ ...BOTH_FLAGS, isolatedModules: true, types: ['node', 'jest'] });
const tsJestAlone = { 'jest.config.json': { moduleNameMapper, transform: { '\\.ts$': 'ts-jest' } } };

const IN_COMMON_JS: readonly Row[] = [
  {
    ...commonJs,
    tool: 'ts-jest 29.4, CommonJS',
    run: JEST,
    set: `${SET_BOTH_FLAGS}; @swc/jest for Hopline`,
    files: {
      ...inCommonJs({ '\\.ts$': 'ts-jest', 'node_modules/hopline/.*\\.js$': '@swc/jest' }),
      ...commonJsTsconfig,
    },
  },
  {
    ...commonJs,
    tool: '@swc/jest 0.2, CommonJS',
    run: JEST,
    set: 'as swc; Hopline, too',
    files: inCommonJs({ '\\.[jt]s$': ['@swc/jest', swcOptions(SWC_LEGACY_TYPES)] }),
  },
  {
    ...commonJs,
    tool: 'ts-jest 29.4, CommonJS',
    run: `${VM_MODULES} ${JEST}`,
    set: `${SET_BOTH_FLAGS}; from Node.js 24.9 on ${VM_MODULES} is enough`,
    files: { ...tsJestAlone, ...commonJsTsconfig },
    on: ['Node 24'],
  },
  {
    ...commonJs,
    tool: 'ts-jest 29.4, CommonJS',
    run: JEST,
    set: 'nothing of Hopline',
    files: { ...tsJestAlone, ...commonJsTsconfig },
    fails: { step: 'run', says: 'Must use import to load ES Module' },
    means: "Jest's own `require()` takes no ES module: [have it compiled](#test-runners), or run Jest as ESM",
  },
];

export const JESTS: readonly Row[] = [...IN_ESM, ...IN_COMMON_JS];
