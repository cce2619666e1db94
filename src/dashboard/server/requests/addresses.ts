import { TrieRouter } from 'hono/router/trie-router';
import type { Action, Page } from '../../pages/page.js';
import { ACTIONS, PAGES } from '../../pages/pages.js';

/** A page or an action with the parts of the path that it names. */
export interface Found<T> {
  readonly found: T;
  readonly params: Readonly<Record<string, string>>;
}

/** The pages and actions by their paths below an application's. */
export class Addresses {
  private readonly pages = new TrieRouter<Page<never>>();
  private readonly actions = new TrieRouter<Action>();

  constructor() {
    for (const page of PAGES) this.pages.add('GET', page.path, page);
    for (const action of ACTIONS) this.actions.add('POST', action.path, action);
  }

  /** @param path percent-encoded; a name in it may hold a slash as %2F */
  page(path: string): Found<Page<never>> | undefined {
    return found(this.pages, 'GET', path);
  }

  action(path: string): Found<Action> | undefined {
    return found(this.actions, 'POST', path);
  }
}

function found<T>(router: TrieRouter<T>, method: string, path: string): Found<T> | undefined {
  const [[[match, params] = []] = []] = router.match(method, path);
  if (match === undefined) return undefined;
  try {
    const decoded = Object.entries(params as Record<string, string>).map(
      ([name, value]) => [name, decodeURIComponent(value)] as const,
    );
    return { found: match, params: Object.fromEntries(decoded) };
  } catch {
    // A percent sign that begins no byte: nothing has this name.
    return undefined;
  }
}
