import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/**
 * Copies the declarations that the entry points reach.
 *
 * @param {{ root: string; from: string; to: string; entries: string[] }} given  `from` holds the compiler's output
 */
export function copyDeclarations({ root, from, to, entries }) {
  for (const file of reachable(entries.map((entry) => join(from, entry.replace(/\.ts$/, '.d.ts'))))) {
    const path = file.slice(from.length);
    const source = readFileSync(join(root, path.replace(/\.d\.ts$/, '.ts')), 'utf8');
    const target = join(to, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, published(readFileSync(file, 'utf8'), source));
  }
}

/** @param {string[]} entries */
function reachable(entries) {
  const found = new Set(entries);
  for (const file of found) {
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
    for (const { fileName } of importedFiles)
      if (fileName.startsWith('.')) found.add(resolve(dirname(file), fileName.replace(/\.js$/, '.d.ts')));
  }
  return found;
}

/**
 * A declaration without the link to its map, which leads to sources that are not published. A class whose constructor is
 * `@internal` gets a private one: the compiler only strips it, which would promise one without arguments.
 *
 * @param {string} declaration
 * @param {string} source
 */
function published(declaration, source) {
  let text = declaration.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
  const internal =
    /^export (?:abstract )?class (\w+)(?:(?!^}).)*?^ {2}\/\*\* @internal \*\/\r?\n {2}constructor\(/gms;
  for (const [, name] of source.matchAll(internal))
    text = text.replace(
      new RegExp(`^export declare (?:abstract )?class ${name}\\b.*\\{$`, 'm'),
      '$&\n    private constructor();',
    );
  return text;
}
