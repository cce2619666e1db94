import { OptionsError } from '../src/errors.js';

const CURES =
  'set experimentalDecorators and emitDecoratorMetadata to true in the tsconfig.json that the compiler or runner of this file reads. ' +
  'tsc, ts-node, tsx, Bun, Vite and esbuild take them from there (tsx and esbuild write no metadata even so: name dependencies ' +
  'with @inject). For swc set legacyDecorator and decoratorMetadata in jsc.transform; for Babel take ' +
  "@babel/plugin-proposal-decorators with version: 'legacy', and babel-plugin-transform-typescript-metadata";

/**
 * A compiler that knows nothing of `experimentalDecorators` calls decorators as ECMAScript's proposal has it: with an object
 * for the second argument, that says what they stand on, and without the types that constructor injection goes by.
 *
 * @param second argument that the compiler has called a decorator with
 * @throws OptionsError if it is such an object
 */
export function refuseStandardDecorators(second: unknown): void {
  if (typeof second !== 'object' || second === null) return;
  const { kind, name } = second as { readonly kind?: unknown; readonly name?: unknown };
  const where = typeof kind === 'string' ? `${kind} ${String(name)}` : 'a class';
  throw new OptionsError('decorators', [
    `those of ${where} are compiled as standard (TC39) decorators, and hopline/decorators are TypeScript's experimental ones: ${CURES}`,
  ]);
}
