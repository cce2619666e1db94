import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reachedDeclarations } from './reached.js';

/**
 * Copies what the entry points reach of the declarations.
 *
 * @param {{ root: string; from: string; to: string; entries: string[] }} given  `from` holds the compiler's output
 */
export function copyDeclarations({ root, from, to, entries }) {
  const files = entries.map((entry) => join(from, entry.replace(/\.ts$/, '.d.ts')));
  for (const [file, text] of reachedDeclarations(files)) {
    const path = file.slice(from.length);
    const source = readFileSync(join(root, path.replace(/\.d\.ts$/, '.ts')), 'utf8');
    const target = join(to, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, published(text, source));
  }
}

/**
 * A declaration indented by tabs, which takes less room, and without the link to its map, which leads to sources that are not published. A class whose constructor is
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
  return text.replace(/^(?: {4})+/gm, (indent) => '\t'.repeat(indent.length / 4));
}
