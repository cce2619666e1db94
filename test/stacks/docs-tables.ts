import { table } from '../../scripts/docs/source.js';
import { failureOf, type Kind, type Row, runtimesOf } from './row.js';

/*
 * The tables of docs/setting-up.md, from the rows that `npm run test:package` runs.
 */

const COLUMNS: readonly (readonly [Kind, string])[] = [
  ['types', 'types of the constructor, legacy decorators'],
  ['named', '`static inject`, legacy decorators'],
  ['standard', '`static inject`, standard decorators'],
];

const CANNOT = '–';

/** What to set for which decorators, tools that need the same in one row. */
export function compilerTable(rows: readonly Row[]): string {
  const shown = rows.filter(({ means, kind, isAside }) => !means && kind !== 'none' && !isAside);
  const toolsOf = new Map<string, string[]>();
  for (const tool of new Set(shown.map((row) => row.tool))) {
    const own = shown.filter((row) => row.tool === tool);
    const cells = COLUMNS.map(([kind]) => cellOf(own.filter((row) => row.kind === kind)));
    const key = JSON.stringify(cells);
    toolsOf.set(key, [...(toolsOf.get(key) ?? []), tool]);
  }
  const head = ['tool', ...COLUMNS.map(([, title]) => title)];
  return table(
    head,
    [...toolsOf].map(([cells, tools]) => [namesOf(tools), ...(JSON.parse(cells) as string[])]),
  );
}

/** Versions of one tool side by side: `tsc 5.9, 6.0`. */
function namesOf(tools: readonly string[]): string {
  const names = new Map<string, string[]>();
  for (const tool of tools) {
    const [, name = tool, version] = /^(.+) (\S+)$/.exec(tool) ?? [];
    names.set(name, [...(names.get(name) ?? []), ...(version ? [version] : [])]);
  }
  return [...names].map(([name, versions]) => [name, versions.join(', ')].join(' ')).join(', ');
}

function cellOf(rows: readonly Row[]): string {
  const working = rows.filter((row) => runtimesOf(row).some((runtime) => !failureOf(row, runtime)));
  return working.length === 0 ? CANNOT : working.map(({ set }) => set).join('; or ');
}

/** What is said of a mistake in setting up, and what it means. */
export function messageTable(rows: readonly Row[]): string {
  return table(
    ['it says', 'it means'],
    rows.flatMap((row) => (row.means ? [[`\`${saysOf(row)}\``, row.means]] : [])),
  );
}

function saysOf(row: Row): string {
  const said = runtimesOf(row).flatMap((runtime) => failureOf(row, runtime)?.says ?? []);
  return [...new Set(said)].join('`, `');
}

/** Puts a text between the comments `<!-- NAME:start -->` and `<!-- NAME:end -->` of a page. */
export function withPart(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}:start -->\n`, `\n<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no ${start.trim()} … ${end.trim()}`);
  return page.slice(0, from + start.length) + text + page.slice(to);
}

/** docs/setting-up.md with its tables as the rows have them. */
export function settingUpPage(page: string, rows: readonly Row[]): string {
  return withPart(withPart(page, 'compilers', compilerTable(rows)), 'messages', messageTable(rows));
}
