import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { root } from '../../project/repository.js';

/** A compiler, and how it is set. */
export interface Kind {
  readonly name: string;
  /** Whether decorators are called in the standard way. */
  readonly standard: boolean;
  readonly compile: (source: string) => string;
}

const tsc = (experimentalDecorators: boolean) => (source: string) =>
  ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      experimentalDecorators,
    },
  }).outputText;

const esbuild = (experimentalDecorators: boolean) => (source: string) =>
  transformSync(source, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    tsconfigRaw: { compilerOptions: { experimentalDecorators, verbatimModuleSyntax: true } },
  }).code;

/** All write no metadata of parameters. */
export const KINDS: readonly Kind[] = [
  { name: 'legacy decorators of tsc', standard: false, compile: tsc(true) },
  { name: 'standard decorators of tsc', standard: true, compile: tsc(false) },
  { name: 'legacy decorators of esbuild', standard: false, compile: esbuild(true) },
  { name: 'standard decorators of esbuild', standard: true, compile: esbuild(false) },
];

/** What a module beside this one exports, compiled in this way: functions that take `Given`. */
export async function compiled<Given>(
  name: string,
  kind: Kind,
): Promise<Record<string, (given: Given) => unknown>> {
  const source = readFileSync(resolve(root, 'test/unit/decorators', `${name}.ts`), 'utf8');
  const target = resolve(import.meta.dirname, `${name}.${kind.name.replaceAll(' ', '-')}.js`);
  writeFileSync(target, kind.compile(source));
  return import(pathToFileURL(target).href);
}
