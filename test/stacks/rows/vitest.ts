import type { Row } from '../row.js';
import { LEFT_AS_THEY_ARE, NO_TYPES } from './known.js';
import {
  BOTH_FLAGS,
  NOTHING_HELPS,
  ONE_FLAG,
  SET_BOTH_FLAGS,
  SET_NOTHING,
  SET_ONE_FLAG,
  tsconfig,
} from './tsconfig.js';

const config = { 'vitest.config.js': 'export default { test: { globals: true } };\n' };

function rowsOf(vitest: Pick<Row, 'tool' | 'run' | 'tools' | 'on'>) {
  const row = { ...vitest, isTest: true };
  const types: Row = {
    ...row,
    kind: 'types',
    program: 'constructor-types',
    set: SET_BOTH_FLAGS,
    files: { ...config, ...tsconfig(BOTH_FLAGS) },
  };
  const named: Row = {
    ...row,
    kind: 'named',
    program: 'named-dependencies',
    set: SET_ONE_FLAG,
    files: { ...config, ...tsconfig(ONE_FLAG) },
  };
  const standard: Row = {
    ...row,
    kind: 'standard',
    program: 'named-dependencies',
    set: SET_NOTHING,
    files: { ...config, ...tsconfig({}) },
  };
  return { types, named, standard };
}

const vitest3 = rowsOf({ tool: 'Vitest 3.2', tools: 'older', run: 'node $TOOLS/vitest/vitest.mjs run' });
const vitest4 = rowsOf({ tool: 'Vitest 4.1', run: 'node $TOOLS/vitest-4/vitest.mjs run' });
const vitest5 = rowsOf({
  tool: 'Vitest 5.1',
  run: 'node $TOOLS/vitest/vitest.mjs run',
  on: ['Node 22', 'Node 24'],
});

/** The older one is built on esbuild, the newer ones are on oxc. */
export const VITEST: readonly Row[] = [
  { ...vitest3.types, set: NOTHING_HELPS, fails: NO_TYPES },
  vitest3.named,
  vitest3.standard,
  ...[vitest4, vitest5].flatMap(({ types, named, standard }): Row[] => [
    types,
    named,
    { ...standard, set: NOTHING_HELPS, fails: LEFT_AS_THEY_ARE },
  ]),
];
