import type { Row } from '../row.js';
import { NO_TYPES } from './known.js';
import { BOTH_FLAGS, NOTHING_HELPS, ONE_FLAG, SET_NOTHING, SET_ONE_FLAG, tsconfig } from './tsconfig.js';
import { VITE_CONFIG } from './vite.js';

const TOOLS = [
  {
    tool: 'esbuild 0.28',
    build:
      'node $TOOLS/esbuild/bin/esbuild $ENTRIES --bundle --packages=external --platform=node --target=node20 --format=esm --outdir=out',
    run: 'node out/$PROGRAM.js',
    files: {},
    setForStandard: '`--target=node20`',
  },
  {
    tool: 'tsx 4.23',
    run: 'node $TOOLS/tsx/dist/cli.mjs src/$PROGRAM.ts',
    files: {},
    setForStandard: SET_NOTHING,
  },
  {
    tool: 'vite 7.3',
    tools: 'older',
    build: 'node $TOOLS/vite/bin/vite.js build',
    run: 'node out/$PROGRAM.js',
    files: VITE_CONFIG,
    setForStandard: SET_NOTHING,
  },
] as const;

/** esbuild, and what is built on it: it writes no metadata. */
export const ESBUILD: readonly Row[] = TOOLS.flatMap(({ setForStandard, files, ...tool }): Row[] => [
  {
    ...tool,
    kind: 'types',
    program: 'constructor-types',
    set: NOTHING_HELPS,
    files: { ...files, ...tsconfig(BOTH_FLAGS) },
    fails: NO_TYPES,
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
    set: setForStandard,
    files: { ...files, ...tsconfig({}) },
  },
]);
