import { join } from 'node:path';
import ts from 'typescript';
import { manifest, root } from './repository.js';

/** What users can see, as text: `hopline › Bus` → its declaration. */
export type ApiSnapshot = ReadonlyMap<string, string>;

/** The exported names of every entry point of package.json, from the declarations that the compiler emitted. */
export function describeApi(): ApiSnapshot {
  const { program, entryPoints } = publicProgram();
  const exported = exportedBy(program, entryPoints);
  return new Map(
    entryPoints.flatMap(({ name, file }) =>
      exportsOf(program, file, exported).map(([exported, text]) => [`${name} › ${exported}`, text] as const),
    ),
  );
}

let built: PublicProgram | undefined;

interface PublicProgram {
  readonly program: ts.Program;
  readonly entryPoints: readonly { readonly name: string; readonly file: string }[];
}

/** One for all who ask: it reads and checks all declarations. */
function publicProgram(): PublicProgram {
  built ??= buildPublicProgram();
  return built;
}

function buildPublicProgram(): PublicProgram {
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
  const exported = exportedBy(program, entryPoints);
  const hidden = new Map<string, string[]>();
  const walk = (node: ts.Node, owner: string): void => {
    if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return;
    const name = namedBy(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    const type = symbol && whole(checker, symbol);
    // Shown by its fields, as if they stood in the interface itself.
    const base = ts.isExpressionWithTypeArguments(node) && type && interfaceOf(type);
    if (base && !exported.has(type)) walk(base, type.name);
    else if (type && !exported.has(type) && isOurs(type)) {
      const owners = hidden.get(type.name) ?? [];
      hidden.set(type.name, owners.includes(owner) ? owners : [...owners, owner]);
    }
    ts.forEachChild(node, (child) => walk(child, owner));
  };
  for (const symbol of exported)
    for (const declaration of symbol.declarations ?? []) walk(visible(declaration), symbol.name);
  return hidden;
}

type EntryPoints = readonly { readonly file: string }[];

function exportedBy(program: ts.Program, entryPoints: EntryPoints): ReadonlySet<ts.Symbol> {
  const symbols = entryPoints.flatMap(({ file }) => symbolsOf(program, file));
  return new Set(symbols.map((symbol) => whole(program.getTypeChecker(), symbol)));
}

const interfaceOf = (symbol: ts.Symbol): ts.InterfaceDeclaration | undefined =>
  symbol.declarations?.find(ts.isInterfaceDeclaration);

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

function exportsOf(
  program: ts.Program,
  file: string,
  exported: ReadonlySet<ts.Symbol>,
): [name: string, text: string][] {
  const checker = program.getTypeChecker();
  const symbols = symbolsOf(program, file);
  return symbols
    .map((symbol): [string, string] => {
      const { declarations = [] } = whole(checker, symbol);
      const texts = declarations.map((each) =>
        ts.isInterfaceDeclaration(each)
          ? interfaceText(each, checker, exported)
          : declarationText(each, visible(each)),
      );
      return [symbol.name, texts.join('\n')];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const printer = ts.createPrinter({ removeComments: true });

/** The declaration without comments, `declare`, and what is private: none of that is a promise to users. */
function declarationText(declaration: ts.Node, shown: ts.Node): string {
  return printer
    .printNode(ts.EmitHint.Unspecified, shown, declaration.getSourceFile())
    .replace(/^export (declare )?/, '')
    .replaceAll('    ', '  ');
}

/** An interface as users see it: with the fields of its bases that no entry point exports, in place of their names. */
function interfaceText(
  node: ts.InterfaceDeclaration,
  checker: ts.TypeChecker,
  exported: ReadonlySet<ts.Symbol>,
): string {
  const bases = node.heritageClauses?.flatMap(({ types }) => types) ?? [];
  const hidden = new Map(
    bases.flatMap((base) => {
      const symbol = checker.getSymbolAtLocation(base.expression);
      const type = symbol && whole(checker, symbol);
      const declaration = type && !exported.has(type) ? interfaceOf(type) : undefined;
      return declaration ? [[base, declaration] as const] : [];
    }),
  );
  if (hidden.size === 0) return declarationText(node, node);
  const shown = bases.filter((base) => !hidden.has(base));
  const { modifiers, name, typeParameters, members } = node;
  const heritage =
    shown.length > 0 ? [ts.factory.createHeritageClause(ts.SyntaxKind.ExtendsKeyword, shown)] : [];
  const own = declarationText(
    node,
    ts.factory.updateInterfaceDeclaration(node, modifiers, name, typeParameters, heritage, members),
  );
  const inherited = [...hidden.values()].map((base) =>
    interfaceText(base, checker, exported)
      .replace(/^.*? \{\n/s, '')
      .replace(/\}$/, ''),
  );
  return `${own.replace(/\}$/, '')}${inherited.join('')}}`;
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
