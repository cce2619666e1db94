import ts from 'typescript';
import { compile, docOf, fieldTypeOf, generatedNote, moduleOf, table } from './source.js';

const SOURCE = 'src/events.ts';

/** docs/events.md: each event of a bus, when it is emitted and with what. */
export function eventsPage(): string {
  const program = compile(SOURCE);
  const checker = program.getTypeChecker();
  const exported = checker
    .getExportsOfModule(moduleOf(program, SOURCE))
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  const catalogue = exported.find(({ name }) => name === 'BusEvents');
  if (!catalogue) throw new Error(`${SOURCE} has no BusEvents`);
  const events = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(catalogue));
  const rows = events.map((event) => [
    `\`${event.name}\``,
    link(fieldTypeOf(event, checker)),
    docOf(event, checker),
  ]);
  const types = new Set<ts.Symbol>();
  for (const event of events) addWithParents(checker.getTypeOfSymbol(event).symbol, checker, types);
  const words = exported.filter((symbol) => wordsOf(symbol).some(({ meaning }) => meaning !== ''));
  return [
    '# Events',
    generatedNote,
    '`bus.on(name, listener)` adds a listener, and returns a function that removes it. A listener is called synchronously, ' +
      'with one object; if it throws or rejects, that is logged and has no other effect. An event without listeners costs nothing.',
    table(['event', 'data', 'when'], rows),
    ...[...types].flatMap((type) => dataSection(type, checker)),
    ...words.flatMap((symbol) => wordsSection(symbol, checker)),
  ]
    .join('\n\n')
    .concat('\n');
}

const link = (name: string) => `[${name}](#${name.toLowerCase()})`;

/** Those first that it has its fields of. */
function addWithParents(type: ts.Symbol, checker: ts.TypeChecker, all: Set<ts.Symbol>): void {
  for (const parent of parentsOf(type, checker)) addWithParents(parent, checker, all);
  all.add(type);
}

function parentsOf(type: ts.Symbol, checker: ts.TypeChecker): ts.Symbol[] {
  const clauses = type.declarations?.find(ts.isInterfaceDeclaration)?.heritageClauses ?? [];
  return clauses.flatMap(({ types }) => types).map((each) => checker.getTypeAtLocation(each).symbol);
}

function dataSection(type: ts.Symbol, checker: ts.TypeChecker): string[] {
  const rows = [...(type.members?.values() ?? [])].map((field) => [
    `\`${field.name}\``,
    `\`${fieldTypeOf(field, checker)}\``,
    docOf(field, checker),
  ]);
  const parents = parentsOf(type, checker).map(({ name }) => link(name));
  return [
    `## ${type.name}`,
    ...(parents.length > 0 ? [`The fields of ${parents.join(' and ')}, and:`] : []),
    table(['field', 'type', 'meaning'], rows),
  ];
}

/** The members of a union of texts, each with the doc comment before its bar. */
function wordsOf(symbol: ts.Symbol): { readonly word: string; readonly meaning: string }[] {
  const union = symbol.declarations?.find(ts.isTypeAliasDeclaration)?.type;
  if (!union || !ts.isUnionTypeNode(union)) return [];
  const { text } = union.getSourceFile();
  return union.types.map((member, index) => {
    const before = union.types[index - 1]?.end ?? union.pos;
    const comments = ts.getLeadingCommentRanges(text, before) ?? [];
    const meaning = comments.map(({ pos, end }) => text.slice(pos + '/**'.length, end - '*/'.length));
    return {
      word: member.getText(),
      meaning: meaning
        .join(' ')
        .replace(/\s+(\* )?/g, ' ')
        .trim(),
    };
  });
}

function wordsSection(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  const rows = wordsOf(symbol).map(({ word, meaning }) => [`\`${word}\``, meaning]);
  return [`## ${symbol.name}`, docOf(symbol, checker), table(['value', 'meaning'], rows)];
}
