import ts from 'typescript';

/**
 * What entry points reach of the compiler's declarations: of each file the statements that an exported name leads to, and the
 * imports that these need. A file that nothing is left of has no text.
 *
 * @param {string[]} entries  `.d.ts` files, absolute
 * @returns {Map<string, string>} text by file
 */
export function reachedDeclarations(entries) {
  const program = ts.createProgram(entries, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const sources = entries.map((entry) => sourceOf(program, entry));
  /** @type {Set<ts.Node>} */
  const reached = new Set();
  for (const source of sources) {
    const module = checker.getSymbolAtLocation(source);
    for (const symbol of module ? checker.getExportsOfModule(module) : []) reach(symbol);
  }
  /** Grows as they are written: an import may lead to a file that has but exports of others. */
  const kept = new Set([...sources, ...[...reached].map((statement) => statement.getSourceFile())]);
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const source of kept) texts.set(source.fileName, textOf(source));
  return texts;

  /** @param {ts.Symbol} symbol */
  function reach(symbol) {
    for (const statement of statementsOf(symbol)) {
      if (reached.has(statement) || !isOurs(program, statement)) continue;
      reached.add(statement);
      visit(statement);
    }
  }

  /** @param {ts.Node} node */
  function visit(node) {
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (symbol) reach(symbol);
    ts.forEachChild(node, visit);
  }

  /** @param {ts.Symbol} symbol */
  function statementsOf(symbol) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return (target.declarations ?? []).map(statementOf);
  }

  /** @param {ts.SourceFile} source */
  function textOf(source) {
    const names = new Set(source.statements.filter((each) => reached.has(each)).flatMap(identifiersOf));
    const parts = source.statements.map((statement) => {
      if (ts.isImportDeclaration(statement)) return leading(statement, importing(statement, names));
      if (ts.isExportDeclaration(statement)) return leading(statement, exporting(statement));
      return reached.has(statement) ? statement.getFullText() : '';
    });
    return `${parts.join('').trim()}\n`;
  }

  /** @param {ts.ImportDeclaration | ts.ExportDeclaration} statement @param {string} text */
  function leading({ moduleSpecifier }, text) {
    const module = moduleSpecifier && text && checker.getSymbolAtLocation(moduleSpecifier);
    const source = module ? module.declarations?.find(ts.isSourceFile) : undefined;
    if (source && isOurs(program, source)) kept.add(source);
    return text;
  }

  /** @param {ts.ImportDeclaration} statement @param {ReadonlySet<string>} names  that are needed */
  function importing(statement, names) {
    const { name, namedBindings } = statement.importClause ?? {};
    if (namedBindings && ts.isNamedImports(namedBindings))
      return withElements(statement, namedBindings, (each) => names.has(each.name.text));
    const local = name ?? namedBindings?.name;
    return !local || names.has(local.text) ? statement.getFullText() : '';
  }

  /** @param {ts.ExportDeclaration} statement */
  function exporting(statement) {
    const { exportClause } = statement;
    if (!exportClause || !ts.isNamedExports(exportClause)) return statement.getFullText();
    return withElements(statement, exportClause, ({ name }) => {
      const symbol = checker.getSymbolAtLocation(name);
      return !symbol || statementsOf(symbol).some((each) => reached.has(each) || !isOurs(program, each));
    });
  }
}

/** @param {ts.Program} program @param {ts.Node} node */
function isOurs(program, node) {
  const source = node.getSourceFile();
  return !program.isSourceFileFromExternalLibrary(source) && !program.isSourceFileDefaultLibrary(source);
}

/** @param {ts.Node} node @returns {ts.Node} the statement of its file that has it */
const statementOf = (node) => (ts.isSourceFile(node.parent ?? node) ? node : statementOf(node.parent));

/** @param {ts.Program} program @param {string} file */
function sourceOf(program, file) {
  const source = program.getSourceFile(file);
  if (!source) throw new Error(`${file} has not been compiled`);
  return source;
}

/**
 * The text of an import or export with these of its names only.
 *
 * @template {ts.ImportSpecifier | ts.ExportSpecifier} S
 * @param {ts.Statement} statement
 * @param {{ elements: ts.NodeArray<S>; getText(): string }} list
 * @param {(each: S) => boolean} isKept
 */
function withElements(statement, list, isKept) {
  const kept = list.elements.filter(isKept).map((each) => each.getText());
  return kept.length === 0 ? '' : statement.getFullText().replace(list.getText(), `{ ${kept.join(', ')} }`);
}

/** @param {ts.Node} node @returns {string[]} */
function identifiersOf(node) {
  const found = ts.isIdentifier(node) ? [node.text] : [];
  ts.forEachChild(node, (child) => void found.push(...identifiersOf(child)));
  return found;
}
