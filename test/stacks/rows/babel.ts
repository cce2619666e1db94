import type { Row } from '../row.js';

function config(version: string, preset: object = {}, ...before: string[]) {
  return {
    'babel.config.json': {
      presets: [['@babel/preset-typescript', preset]],
      plugins: [...before, ['@babel/plugin-proposal-decorators', { version }]],
    },
  };
}

const BUILD = 'node $TOOLS/@babel/cli/bin/babel.js src --extensions .ts -d out';
const RUN = 'node out/$PROGRAM.js';

const VERSIONS = [
  {
    tool: 'Babel 7.29',
    tools: 'older',
    // Else the preset of 7 takes what the plugin writes for a field without a value, and the decorators with it.
    setStandard: '`version: "2023-11"`, and `allowDeclareFields: true` for `@babel/preset-typescript`',
    standard: config('2023-11', { allowDeclareFields: true }),
  },
  {
    tool: 'Babel 8.1',
    on: ['Node 22', 'Node 24'],
    setStandard: '`version: "2023-11"`',
    standard: config('2023-11'),
  },
] as const;

const ALL_VERSIONS = VERSIONS.flatMap(({ setStandard, standard, ...version }): Row[] => {
  const row = {
    ...version,
    build: BUILD,
    run: RUN,
  };
  return [
    {
      ...row,
      kind: 'types',
      program: 'constructor-types',
      set: '`babel-plugin-transform-typescript-metadata`, then `@babel/plugin-proposal-decorators` with `version: "legacy"`',
      files: config('legacy', {}, 'babel-plugin-transform-typescript-metadata'),
    },
    {
      ...row,
      kind: 'named',
      program: 'named-dependencies',
      set: '`version: "legacy"`',
      files: config('legacy'),
    },
    {
      ...row,
      kind: 'standard',
      program: 'named-dependencies',
      set: setStandard,
      files: standard,
    },
  ];
});

const babel7 = {
  tool: 'Babel 7.29',
  tools: 'older',
  build: BUILD,
  run: RUN,
  kind: 'standard',
  program: 'named-dependencies',
} as const;

export const BABEL: readonly Row[] = [
  ...ALL_VERSIONS,
  {
    ...babel7,
    set: '`version: "2022-03"`',
    files: config('2022-03', { allowDeclareFields: true }),
    fails: { step: 'run', says: 'its compiler gives standard decorators no metadata' },
    means: 'it is TypeScript 5.1 or older, or Babel with a `version` before `2023-05`',
  },
  {
    ...babel7,
    set: '`version: "2023-11"` alone',
    files: config('2023-11'),
    fails: { step: 'run', says: 'TypeError: _initClass is not a function' },
    means:
      'Babel 7: `@babel/preset-typescript` needs `allowDeclareFields: true` where a decorated class has a static property, as `static inject`; ' +
      'Babel 8 has it always',
  },
];
