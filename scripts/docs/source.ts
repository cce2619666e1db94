import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

/** The repository's top: this runs from dist/scripts/docs. */
export const root = resolve(import.meta.dirname, '../../..');

/** The sources below `paths`, relative to the top, with their types. */
export function compile(...paths: string[]): ts.Program {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  return ts.createProgram(
    paths.map((path) => join(root, path)),
    options,
  );
}

export function moduleOf(program: ts.Program, path: string): ts.Symbol {
  const source = program.getSourceFile(join(root, path));
  const symbol = source && program.getTypeChecker().getSymbolAtLocation(source);
  if (!symbol) throw new Error(`${path} is missing or exports nothing`);
  return symbol;
}

/** Source of each entry point, by the name that users import, as `paths` of tsconfig.json has them. */
export function entrySources(): ReadonlyMap<string, string> {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return new Map(
    Object.entries<string[]>(compilerOptions.paths).map(([name, [source = '']]) => [
      name,
      source.replace('./', ''),
    ]),
  );
}

/** The doc comment as one paragraph of Markdown; links become code. */
export function docOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  return flatten(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
}

/** The type as its author wrote it: the names there say more than what they resolve to. */
export function fieldTypeOf(field: ts.Symbol, checker: ts.TypeChecker): string {
  const declaration = field.valueDeclaration;
  const written = declaration && ts.isPropertySignature(declaration) && declaration.type?.getText();
  return (written || checker.typeToString(checker.getTypeOfSymbol(field))).replace(/\s+/g, ' ');
}

/** The text of the symbol's doc tag `name`, if it has one. */
export function tagOf(symbol: ts.Symbol, name: string): string | undefined {
  const tag = symbol.getJsDocTags().find((candidate) => candidate.name === name);
  return tag && flatten(ts.displayPartsToString(tag.text));
}

function flatten(text: string): string {
  return text
    .replace(/\{@link(?:code)? ([^}\s]+)[^}]*\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const generatedNote = '<!-- Generated from the doc comments by `npm run docs`. Edit those. -->';
