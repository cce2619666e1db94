import ts from 'typescript';
import {
  compile,
  docOf,
  entrySources,
  fieldTypeOf,
  generatedNote,
  moduleOf,
  table,
  tagOf,
} from './source.js';

interface Exported {
  readonly symbol: ts.Symbol;
  /** Name of the entry point: `hopline/operate`. */
  readonly entry: string;
}

/** docs/options.md: a table for each `…Options` that an entry point exports. */
export function optionsPage(): string {
  const sources = entrySources();
  const program = compile(...sources.values());
  const checker = program.getTypeChecker();
  const options = new Map<string, Exported>();
  for (const [entry, source] of sources) {
    for (const exported of checker.getExportsOfModule(moduleOf(program, source))) {
      if (exported.name.endsWith('Options'))
        options.set(exported.name, { symbol: resolveAlias(exported, checker), entry });
    }
  }
  return [
    '# Options',
    generatedNote,
    "A duration is a number of milliseconds or a string such as `'500ms'`, `'30s'`, `'5m'`, `'12h'` or `'2d'`. Types are of `hopline` where no other entry point is named.",
    ...[...options].flatMap(([name, exported]) => section(name, exported, program)),
  ]
    .join('\n\n')
    .concat('\n');
}

function resolveAlias(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function section(name: string, { symbol, entry }: Exported, program: ts.Program): string[] {
  const checker = program.getTypeChecker();
  const fields = checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .filter((field) => isOption(field, program));
  // A list, or a record with names that the caller chooses: the option that takes it has said all.
  if (fields.length === 0) return [];
  const head = ['option', 'type', 'default', 'meaning'];
  const rows = fields.map((field) => [
    `\`${field.name}\``,
    `\`${fieldTypeOf(field, checker)}\``,
    defaultOf(field),
    docOf(field, checker),
  ]);
  const origin = entry === 'hopline' ? '' : `From \`${entry}\`.`;
  const introduction = [docOf(symbol, checker), origin].filter((part) => part !== '').join(' ');
  return [`## ${name}`, introduction, table(head, rows)].filter((part) => part !== '');
}

/** False for members of JavaScript's own types, as those of a list. */
const isOption = ({ declarations = [] }: ts.Symbol, program: ts.Program): boolean =>
  declarations.some((declaration) => !program.isSourceFileDefaultLibrary(declaration.getSourceFile()));

function defaultOf(field: ts.Symbol): string {
  if (!(field.flags & ts.SymbolFlags.Optional)) return 'required';
  const value = tagOf(field, 'default');
  if (value === undefined) return '–';
  return literal.test(value) ? `\`${value}\`` : value;
}

/** A value as it would stand in the code, not a sentence about it. */
const literal = /^(\d[\d_.]*|'[^']*'|\[.*\]|\{.*\}|true|false)$/;
