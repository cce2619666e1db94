import type { Row } from '../row.js';
import { LEFT_AS_THEY_ARE, NO_TYPES } from './known.js';
import { BOTH_FLAGS, ONE_FLAG, SET_BOTH_FLAGS, SET_ONE_FLAG, SET_TARGET, tsconfig } from './tsconfig.js';

/** What strict projects switch on: Hopline's own declarations are checked, too. */
const STRICT = {
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
};
const STRICT_ESM = { ...STRICT, verbatimModuleSyntax: true };

const RUN = 'node out/$PROGRAM.js';

const VERSIONS = [
  { tool: 'tsc 5.9', tools: 'older', tsc: 'typescript' },
  { tool: 'tsc 6.0', tools: 'newest', tsc: 'typescript' },
  { tool: 'tsc 7.0', tools: 'newest', tsc: 'typescript-7' },
] as const;

const ALL_VERSIONS = VERSIONS.flatMap(({ tool, tools, tsc }): Row[] => {
  const build = `node $TOOLS/${tsc}/bin/tsc`;
  const types = { tool, tools, build, run: RUN, kind: 'types', program: 'constructor-types' } as const;
  const named = { ...types, kind: 'named', program: 'named-dependencies' } as const;
  const standard = { ...named, kind: 'standard' } as const;
  return [
    { ...types, set: SET_BOTH_FLAGS, files: tsconfig({ ...STRICT_ESM, ...BOTH_FLAGS }) },
    { ...named, set: SET_ONE_FLAG, files: tsconfig({ ...STRICT_ESM, ...ONE_FLAG }) },
    { ...standard, set: SET_TARGET, files: tsconfig(STRICT_ESM) },
    {
      ...standard,
      isAside: true,
      set: '`tsc --init --types node --target es2022`',
      build: `${build} --init --types node --target es2022 && ${build}`,
      run: 'node src/$PROGRAM.js',
    },
  ];
});

const tsc = {
  tool: 'tsc 6.0',
  build: 'node $TOOLS/typescript/bin/tsc',
  run: RUN,
  kind: 'types',
  program: 'constructor-types',
} as const;

const COMMON_JS: readonly Row[] = [
  {
    ...tsc,
    tool: 'tsc 5.9, CommonJS',
    isAside: true,
    tools: 'older',
    set: '`module: commonjs`, as older applications have it',
    isCommonJs: true,
    files: tsconfig({ ...STRICT, ...BOTH_FLAGS, module: 'commonjs', moduleResolution: 'node10' }),
  },
  {
    ...tsc,
    tool: 'tsc 6.0, CommonJS',
    isAside: true,
    set: '`module: nodenext`, no `"type": "module"`',
    isCommonJs: true,
    files: tsconfig({ ...STRICT, ...BOTH_FLAGS }),
  },
];

const PAYLOAD_WITHOUT_TYPE = `import { Handles } from 'hopline/decorators';
import { Order } from './order.js';

export class Billing {
  @Handles('order.placed')
  onPlaced(_order: Order): void {}
}
`;

const OTHER_PAYLOAD = `import { defineMessage } from 'hopline';
import { Handles } from 'hopline/decorators';

const orderPlaced = defineMessage<{ id: string }>('order.placed');

@Handles(orderPlaced)
export class Bill {
  handle(_order: { amount: number }): void {}
}
`;

/** What is set up wrongly, and what is said of it. */
const MISTAKES: readonly Row[] = [
  {
    ...tsc,
    kind: 'standard',
    program: 'named-dependencies',
    set: 'what `tsc --init --types node` writes',
    build: `${tsc.build} --init --types node && ${tsc.build}`,
    run: 'node src/$PROGRAM.js',
    fails: LEFT_AS_THEY_ARE,
    means:
      "the line begins with an `@`: the tool has left the decorators in what it wrote, and Node.js doesn't know them; nothing of Hopline has run " +
      'yet. tsc and esbuild do so with the target `esnext`, which `tsc --init` writes and is the default of esbuild: set `es2022`, or `--target=node20` of ' +
      'esbuild. oxc (Vite 8, rolldown) knows legacy decorators only: set `experimentalDecorators`',
  },
  {
    ...tsc,
    set: SET_ONE_FLAG,
    files: tsconfig(ONE_FLAG),
    fails: NO_TYPES,
    means:
      'the class [names no dependencies](#dependencies), and there is no metadata: with standard decorators there is none, `emitDecoratorMetadata` ' +
      "is not set, or the tool can't (tsx, esbuild); or the class has no decorator of its own, only its methods have",
  },
  {
    ...tsc,
    kind: 'standard',
    set: 'no `static inject`',
    files: tsconfig({}),
    fails: NO_TYPES,
  },
  {
    ...tsc,
    kind: 'standard',
    program: 'named-dependencies',
    set: 'a handler that takes another payload',
    files: { ...tsconfig({}), 'src/bill.ts': OTHER_PAYLOAD },
    fails: { step: 'build', says: 'error TS1238: Unable to resolve signature of class decorator' },
    means:
      '`handle()`, `failed()`, the method (`TS1241`) or the constructor does not take what the decorator says: another payload, ' +
      'no list for a batch, another dependency than `inject` names',
  },
  {
    ...tsc,
    kind: 'standard',
    program: 'named-dependencies',
    set: 'what `tsc --init` writes',
    build: `${tsc.build} --init && ${tsc.build}`,
    fails: { step: 'build', says: "error TS2591: Cannot find name 'process'" },
    means:
      '`@types/node` is not installed, or `types` leaves it out, as `tsc --init` does: `"types": ["node"]`',
  },
  {
    ...tsc,
    set: 'no `"type": "module"`',
    files: { ...tsconfig(BOTH_FLAGS), 'package.json': { name: 'app', version: '1.0.0' } },
    fails: { step: 'build', says: 'error TS1309: The current file is a CommonJS module' },
    means: 'package.json has no `"type": "module"`, and CommonJS no `await` outside of functions',
  },
  {
    ...tsc,
    set: '`module: node16`, no `"type": "module"`',
    isCommonJs: true,
    files: tsconfig({ ...BOTH_FLAGS, module: 'node16' }),
    fails: { step: 'build', says: 'error TS1479: The current file is a CommonJS module' },
    means: '`module` is `node16`, which knows no `require()` of ES modules: `nodenext` does',
  },
  {
    ...tsc,
    set: '`import { Order }` of an interface',
    files: { ...tsconfig({ ...BOTH_FLAGS, isolatedModules: true }), 'src/bill.ts': PAYLOAD_WITHOUT_TYPE },
    fails: {
      step: 'build',
      says: 'error TS1272: A type referenced in a decorated signature must be imported',
    },
    means:
      "import a payload's type with `import type`, which `TS1484` asks for as well; a class that is injected is imported as a value",
  },
];

export const TSC: readonly Row[] = [...ALL_VERSIONS, ...COMMON_JS, ...MISTAKES];
