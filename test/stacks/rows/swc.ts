import type { Row } from '../row.js';
import { BOTH_FLAGS, NOTHING_HELPS, ONE_FLAG, SET_BOTH_FLAGS, SET_ONE_FLAG, tsconfig } from './tsconfig.js';

/** What swc reads, in a file of its own or as the options of its plugins. */
export function swcOptions(transform: Readonly<Record<string, unknown>>) {
  return { jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform } };
}

export const SWC_LEGACY_TYPES = { legacyDecorator: true, decoratorMetadata: true };
export const SWC_LEGACY = { legacyDecorator: true };
export const SWC_STANDARD = { decoratorVersion: '2023-11' };

const swc = {
  tool: 'swc 1.16',
  build: 'node $TOOLS/@swc/cli/bin/swc.js src -d out --strip-leading-paths',
  run: 'node out/$PROGRAM.js',
} as const;

const swcNode = {
  tool: '@swc-node/register 1.12',
  run: 'node --import @swc-node/register/esm-register src/$PROGRAM.ts',
} as const;

export const SWC: readonly Row[] = [
  {
    ...swc,
    kind: 'types',
    program: 'constructor-types',
    set: '`legacyDecorator`, `decoratorMetadata` in `jsc.transform`',
    files: { '.swcrc': swcOptions(SWC_LEGACY_TYPES) },
  },
  {
    ...swc,
    kind: 'named',
    program: 'named-dependencies',
    set: '`legacyDecorator`',
    files: { '.swcrc': swcOptions(SWC_LEGACY) },
  },
  {
    ...swc,
    kind: 'standard',
    program: 'named-dependencies',
    set: '`decoratorVersion: "2023-11"`',
    files: { '.swcrc': swcOptions(SWC_STANDARD) },
  },
  {
    ...swcNode,
    kind: 'types',
    program: 'constructor-types',
    set: SET_BOTH_FLAGS,
    files: tsconfig(BOTH_FLAGS),
  },
  {
    ...swcNode,
    kind: 'named',
    program: 'named-dependencies',
    set: SET_ONE_FLAG,
    files: tsconfig(ONE_FLAG),
  },
  {
    ...swcNode,
    kind: 'standard',
    program: 'named-dependencies',
    set: NOTHING_HELPS,
    files: tsconfig({}),
    fails: { step: 'run', says: 'Expression expected' },
  },
];
