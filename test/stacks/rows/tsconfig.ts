/** Says the types of constructor parameters. */
export const BOTH_FLAGS = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** Says nothing of them: TypeScript's decorators all the same. */
export const ONE_FLAG = { experimentalDecorators: true };

/** A tsconfig.json, which runners and bundlers read as well, with these options beside the necessary. */
export function tsconfig(compilerOptions: Readonly<Record<string, unknown>>) {
  return { 'tsconfig.json': { compilerOptions: { ...COMMON, ...compilerOptions }, include: ['src'] } };
}

const COMMON = {
  module: 'nodenext',
  target: 'es2022',
  types: ['node'],
  rootDir: 'src',
  outDir: 'out',
  strict: true,
};

/** As Markdown. */
export const SET_BOTH_FLAGS = '`experimentalDecorators`, `emitDecoratorMetadata`';
export const SET_ONE_FLAG = '`experimentalDecorators`';
export const SET_NOTHING = 'nothing';
export const NOTHING_HELPS = 'nothing helps';
export const SET_TARGET = '`target` below `esnext`';
