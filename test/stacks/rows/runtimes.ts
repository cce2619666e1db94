import type { Row } from '../row.js';
import {
  BOTH_FLAGS,
  NOTHING_HELPS,
  ONE_FLAG,
  SET_BOTH_FLAGS,
  SET_NOTHING,
  SET_ONE_FLAG,
  SET_TARGET,
  tsconfig,
} from './tsconfig.js';

const bun = { tool: 'Bun 1.4', run: 'bun src/$PROGRAM.ts', on: ['Bun'] } as const;
const tsNode = { tool: 'ts-node 10.9', run: 'node --loader ts-node/esm src/$PROGRAM.ts' } as const;
const node = { tool: 'Node.js itself', run: 'node src/$PROGRAM.ts' } as const;

const NO_TYPESCRIPT = { step: 'run', says: 'ERR_UNKNOWN_FILE_EXTENSION' } as const;
/** It takes types away, and does nothing else. */
const TYPES_ALONE = {
  step: 'run',
  says: 'TypeScript parameter property is not supported in strip-only mode',
} as const;

const stripped = {
  ...node,
  run: 'node src/program.ts',
  fails: { 'Node 20': NO_TYPESCRIPT, 'Node 22': TYPES_ALONE, 'Node 24': TYPES_ALONE },
} as const;

/** Programs that run what they are given. */
export const RUNTIMES_THEMSELVES: readonly Row[] = [
  { ...bun, kind: 'types', program: 'constructor-types', set: SET_BOTH_FLAGS, files: tsconfig(BOTH_FLAGS) },
  { ...bun, kind: 'named', program: 'named-dependencies', set: SET_ONE_FLAG, files: tsconfig(ONE_FLAG) },
  { ...bun, kind: 'standard', program: 'named-dependencies', set: SET_NOTHING, files: tsconfig({}) },
  { ...bun, kind: 'none', program: 'without-decorators', set: SET_NOTHING },
  {
    ...tsNode,
    kind: 'types',
    program: 'constructor-types',
    set: SET_BOTH_FLAGS,
    files: tsconfig(BOTH_FLAGS),
  },
  { ...tsNode, kind: 'named', program: 'named-dependencies', set: SET_ONE_FLAG, files: tsconfig(ONE_FLAG) },
  { ...tsNode, kind: 'standard', program: 'named-dependencies', set: SET_TARGET, files: tsconfig({}) },
  { ...stripped, kind: 'types', program: 'constructor-types', set: NOTHING_HELPS },
  { ...stripped, kind: 'named', program: 'named-dependencies', set: NOTHING_HELPS },
  { ...stripped, kind: 'standard', program: 'named-dependencies', set: NOTHING_HELPS },
  {
    ...node,
    kind: 'none',
    program: 'without-decorators',
    set: SET_NOTHING,
    fails: { 'Node 20': NO_TYPESCRIPT },
  },
  {
    tool: 'plain JavaScript',
    run: 'node src/main.js',
    kind: 'none',
    program: 'plain-javascript',
    set: SET_NOTHING,
  },
];

/** Packages that see what they declare, and nothing else. */
export const PNPM: readonly Row[] = [
  {
    tool: 'pnpm 12.21, then tsc 6.0',
    isAside: true,
    kind: 'types',
    program: 'constructor-types',
    set: 'nothing of pnpm',
    files: tsconfig(BOTH_FLAGS),
    build:
      'rm -rf node_modules && node $TOOLS/pnpm/bin/pnpm.mjs add --store-dir ./store $PACKAGES && node $TOOLS/typescript/bin/tsc',
    run: 'node out/$PROGRAM.js',
  },
];
