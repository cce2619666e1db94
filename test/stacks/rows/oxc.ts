import type { Row } from '../row.js';
import { LEFT_AS_THEY_ARE } from './known.js';
import { BOTH_FLAGS, NOTHING_HELPS, ONE_FLAG, SET_BOTH_FLAGS, SET_ONE_FLAG, tsconfig } from './tsconfig.js';
import { VITE_CONFIG } from './vite.js';

const TOOLS = [
  {
    tool: 'vite 8.4',
    build: 'node $TOOLS/vite/bin/vite.js build',
    run: 'node out/$PROGRAM.js',
    files: VITE_CONFIG,
    standard: LEFT_AS_THEY_ARE,
  },
  {
    tool: 'rolldown 1.3',
    build: 'node $TOOLS/rolldown/bin/cli.mjs $ENTRIES --platform node -d out',
    run: 'node out/$PROGRAM.js',
    files: {},
    standard: LEFT_AS_THEY_ARE,
  },
  {
    tool: '@oxc-node/core 0.1',
    run: 'node --import @oxc-node/core/register src/$PROGRAM.ts',
    files: {},
    standard: { step: 'run', says: 'standard (TC39) decorators are not supported yet' },
  },
] as const;

/** oxc, and what is built on it: it knows TypeScript's decorators with their metadata, and none of the proposal. */
export const OXC: readonly Row[] = TOOLS.flatMap(({ standard, files, ...tool }): Row[] => [
  {
    ...tool,
    kind: 'types',
    program: 'constructor-types',
    set: SET_BOTH_FLAGS,
    files: { ...files, ...tsconfig(BOTH_FLAGS) },
  },
  {
    ...tool,
    kind: 'named',
    program: 'named-dependencies',
    set: SET_ONE_FLAG,
    files: { ...files, ...tsconfig(ONE_FLAG) },
  },
  {
    ...tool,
    kind: 'standard',
    program: 'named-dependencies',
    set: NOTHING_HELPS,
    files: { ...files, ...tsconfig({}) },
    fails: standard,
  },
]);
