import { join } from 'node:path';
import ts from 'typescript';
import { manifest, root } from './repository.js';

/** What users can see, as text: `hopline › Bus` → its declaration. */
export type ApiSnapshot = ReadonlyMap<string, string>;

/** The exported names of every entry point of package.json, from the declarations that the compiler emitted. */
export function describeApi(): ApiSnapshot {
  const { program, entryPoints } = publicProgram();
  return new Map(
    entryPoints.flatMap(({ name, file }) =>
      exportsOf(program, file).map(([exported, text]) => [`${name} › ${exported}`, text] as const),
    ),
  );
}

function publicProgram() {
  const entryPoints = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [{ name: join(manifest.name, subpath), file: join(root, target.types) }],
  );
  const program = ts.createProgram(
    entryPoints.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, skipLibCheck: true },
  );
  return { program, entryPoints };
}

/** Types of ours that the public declarations name and no entry point exports, with those that name them. */
export function hiddenTypes(): ReadonlyMap<string, readonly string[]> {
  const { program, entryPoints } = publicProgram();
  const checker = program.getTypeChecker();
  const exported = new Set(
    entryPoints.flatMap(({ file }) => symbolsOf(program, file)).map((symbol) => whole(checker, symbol)),
  );
  const hidden = new Map<string, string[]>();
  const walk = (node: ts.Node, owner: string): void => {
    if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return;
    const name = namedBy(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    const type = symbol && whole(checker, symbol);
    if (type && !exported.has(type) && isOurs(type)) {
      const owners = hidden.get(type.name) ?? [];
      hidden.set(type.name, owners.includes(owner) ? owners : [...owners, owner]);
    }
    ts.forEachChild(node, (child) => walk(child, owner));
  };
  for (const symbol of exported)
    for (const declaration of symbol.declarations ?? []) walk(visible(declaration), symbol.name);
  return hidden;
}

function namedBy(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined;
}

function isOurs({ flags, declarations = [] }: ts.Symbol): boolean {
  if (flags & ts.SymbolFlags.TypeParameter) return false;
  return declarations.some((each) => each.getSourceFile().fileName.startsWith(join(root, 'lib')));
}

function symbolsOf(program: ts.Program, file: string): ts.Symbol[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is missing or exports nothing: compile first`);
  return checker.getExportsOfModule(module);
}

const whole = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function exportsOf(program: ts.Program, file: string): [name: string, text: string][] {
  const checker = program.getTypeChecker();
  const symbols = symbolsOf(program, file);
  const exported = new Set(symbols.map((symbol) => whole(checker, symbol)));
  return symbols
    .map((symbol): [string, string] => {
      const { declarations = [] } = whole(checker, symbol);
      const parents = declarations.flatMap((each) => hiddenParents(each, checker, exported));
      return [symbol.name, [...declarations, ...parents].map(declarationText).join('\n')];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Interfaces that no name of the entry point stands for, though an exported one has their members. */
function hiddenParents(
  declaration: ts.Declaration,
  checker: ts.TypeChecker,
  exported: ReadonlySet<ts.Symbol>,
): ts.Declaration[] {
  if (!ts.isInterfaceDeclaration(declaration)) return [];
  const parents = (declaration.heritageClauses ?? [])
    .flatMap(({ types }) => types)
    .flatMap(({ expression }) => checker.getSymbolAtLocation(expression) ?? [])
    .map((symbol) => whole(checker, symbol));
  return parents
    .filter((parent) => isOurs(parent) && !exported.has(parent))
    .flatMap(({ declarations = [] }) => declarations)
    .flatMap((parent) => [parent, ...hiddenParents(parent, checker, exported)]);
}

const printer = ts.createPrinter({ removeComments: true });

/** The declaration without comments, `declare`, and what is private: none of that is a promise to users. */
function declarationText(declaration: ts.Declaration): string {
  const source = declaration.getSourceFile();
  return printer
    .printNode(ts.EmitHint.Unspecified, visible(declaration), source)
    .replace(/^export (declare )?/, '')
    .replaceAll('    ', '  ');
}

function visible(declaration: ts.Declaration): ts.Node {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isClassDeclaration(node) ? withoutPrivateMembers(node) : node;
}

function withoutPrivateMembers(node: ts.ClassDeclaration): ts.ClassDeclaration {
  const isPrivate = (member: ts.ClassElement) =>
    !ts.isConstructorDeclaration(member) && // that nobody may construct the class is worth knowing
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private ||
      (member.name && ts.isPrivateIdentifier(member.name)));
  const members = node.members.filter((member) => !isPrivate(member));
  const { modifiers, name, typeParameters, heritageClauses } = node;
  return ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, members);
}

const introduction = `# Public API

What \`hopline\` promises: each name of each entry point, with its declaration. A change here is a change for users and
belongs into the changelog. Written by \`UPDATE_SNAPSHOT=1 npm test\`.
`;

export function renderSnapshot(api: ApiSnapshot): string {
  return [introduction, ...[...api].map(([title, text]) => `## ${title}\n\`\`\`ts\n${text}\n\`\`\`\n`)].join(
    '\n',
  );
}

export function parseSnapshot(markdown: string): ApiSnapshot {
  const entries = markdown.matchAll(/^## ([^\n]+)\n```ts\n(.*?)\n```$/gms);
  return new Map([...entries].map(([, title, text]) => [title!, text!]));
}

/** What has changed, name by name; the lines that went and came are marked as in a diff. */
export function compareApis(before: ApiSnapshot, after: ApiSnapshot): string[] {
  const titles = [...new Set([...before.keys(), ...after.keys()])].sort();
  return titles.flatMap((title) => {
    const [old, now] = [before.get(title), after.get(title)];
    if (old === now) return [];
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    return [
      [`${title} was ${change}`, ...changedLines(old?.split('\n') ?? [], now?.split('\n') ?? [])].join('\n'),
    ];
  });
}

function changedLines(old: readonly string[], now: readonly string[]): string[] {
  const gone = old.filter((line) => !now.includes(line)).map((line) => `  - ${line.trim()}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `  + ${line.trim()}`);
  return gone.length + come.length > 0 ? [...gone, ...come] : ['  (the same lines in another order)'];
}
