import ts from 'typescript';
import { compile, docOf, entrySources, generatedNote, moduleOf, table } from './source.js';

const files = [
  'src/errors/starting.ts',
  'src/errors/publishing.ts',
  'src/errors/requesting.ts',
  'src/errors/handling.ts',
  'src/errors/jobs.ts',
  'src/errors/operating.ts',
  'src/errors/stores.ts',
  'src/encryption/errors.ts',
  'src/testing/errors.ts',
  'src/oversight/management/errors.ts',
  'src/dashboard/site/history/errors.ts',
];

/** docs/errors.md: what each error means and asks for. */
export function errorsPage(): string {
  const program = compile(...files, ...entrySources().values());
  const checker = program.getTypeChecker();
  const elsewhere = new Map<string, string>();
  for (const [entry, source] of entrySources())
    if (entry !== 'hopline')
      for (const { name } of checker.getExportsOfModule(moduleOf(program, source)))
        elsewhere.set(name, entry);
  const rows = files
    .flatMap((file) => checker.getExportsOfModule(moduleOf(program, file)))
    .flatMap((symbol) => {
      const code = codeOf(symbol);
      return code ? [{ symbol, code }] : [];
    })
    .map(({ symbol, code }) => [
      `\`${symbol.name}\``,
      `\`${code}\``,
      [docOf(symbol, checker), fromOf(elsewhere.get(symbol.name))].join(''),
      helpOf(symbol) ?? 'Depends on the case: see `error.help`.',
    ]);
  return [
    '# Errors',
    generatedNote,
    'Every error that Hopline throws, or rejects with, is a `HoplineError`. Compare its `code`, which is stable across ' +
      'versions; `help` says what to do, and `cause` is the error of the broker, the client or your code. The classes are exported by ' +
      '`hopline`, or by the entry point that is named.',
    table(['error', 'code', 'when', 'what to do'], rows),
  ]
    .join('\n\n')
    .concat('\n');
}

const fromOf = (entry: string | undefined): string => (entry === undefined ? '' : ` From \`${entry}\`.`);

/** The literal that the class gives its `code`; none for the abstract base. */
function codeOf(symbol: ts.Symbol): string | undefined {
  const property = symbol.members?.get(ts.escapeLeadingUnderscores('code'))?.valueDeclaration;
  if (!property || !ts.isPropertyDeclaration(property) || !property.initializer) return undefined;
  return ts.isStringLiteral(property.initializer) ? property.initializer.text : undefined;
}

/** The help that the class itself hands to `super(message, help)`, if it is the same in each case. */
function helpOf(symbol: ts.Symbol): string | undefined {
  const declaration = symbol.valueDeclaration;
  if (!declaration || !ts.isClassDeclaration(declaration)) return undefined;
  const statements = declaration.members.find(ts.isConstructorDeclaration)?.body?.statements ?? [];
  for (const statement of statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isCallExpression(statement.expression)) continue;
    const { expression: callee, arguments: args } = statement.expression;
    const help = args[1];
    if (callee.kind === ts.SyntaxKind.SuperKeyword && help && ts.isStringLiteralLike(help)) return help.text;
  }
  return undefined;
}
