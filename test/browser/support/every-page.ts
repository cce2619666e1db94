import { PAGES } from '../../../src/dashboard/pages/pages.js';

/** A page of the dashboard, and an address of it that is linked to. */
export interface PageAddress {
  readonly name: string;
  /** Below the application's. */
  readonly path: string;
}

/** Pages that nothing but a form or an event leads to: with what they are asked for. */
const LED_TO_BY_FORM: Readonly<Record<string, string>> = { '/search': '/search?q=mail' };

const MAX_READ = 200;

/**
 * Every page of the dashboard at one of its addresses, found by following its own links from the first page on.
 *
 * @param base where the application's pages begin
 * @param read the document at an address
 * @throws Error for a page that no link leads to
 */
export async function everyPage(
  base: string,
  read: (address: string) => Promise<string>,
): Promise<readonly PageAddress[]> {
  const pages = await pagesLinkedFrom(base, read);
  const missing = PAGES.filter(({ name }) => !pages.some((page) => page.name === name)).map(
    ({ name }) => name,
  );
  if (missing.length > 0) throw new Error(`no link leads to these pages: ${missing.join(', ')}`);
  return pages;
}

/** Those that links lead to: an application without batches has no page of one. */
export async function pagesLinkedFrom(
  base: string,
  read: (address: string) => Promise<string>,
): Promise<readonly PageAddress[]> {
  const found = new Map<string, string>();
  const waiting = ['/', ...Object.values(LED_TO_BY_FORM)];
  const seen = new Set(waiting);
  for (let count = 0; waiting.length > 0 && count < MAX_READ; count += 1) {
    const path = waiting.shift() as string;
    const name = nameOf(path);
    if (name === undefined || found.has(name)) continue;
    found.set(name, path);
    for (const link of linksIn(await read(base + path), new URL(base).pathname)) {
      if (!seen.has(link)) waiting.push(link);
      seen.add(link);
    }
  }
  return PAGES.flatMap(({ name }) => {
    const path = found.get(name);
    return path === undefined ? [] : [{ name, path }];
  });
}

function nameOf(path: string): string | undefined {
  const [plain = ''] = path.split(/[?#]/);
  // A page with a fixed path before one whose parameter would match it.
  const byFixedParts = PAGES.toSorted((one, other) => paramsIn(one.path) - paramsIn(other.path));
  return byFixedParts.find((page) => patternOf(page.path).test(plain))?.name;
}

const paramsIn = (path: string): number => path.split(':').length;

/** Such as `/queues/:queue` or `/failures/:group{.+}`. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/:\w+\{\.\+\}/g, '.+').replaceAll(/:\w+(\{[^}]*\})?/g, '[^/]+')}$`);

function linksIn(html: string, base: string): readonly string[] {
  return [...html.matchAll(/<a\s[^>]*href="([^"]*)"/g)]
    .map(([, href = '']) => href.replaceAll('&amp;', '&'))
    .filter((href) => href === base || href.startsWith(`${base}/`))
    .map((href) => href.slice(base.length) || '/');
}
