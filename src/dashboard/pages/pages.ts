import { overview } from './overview/page.js';
import type { Action, Page } from './page.js';

/** All pages, in the order of the navigation. */
export const PAGES: readonly Page<never>[] = [overview] as readonly Page<unknown>[] as readonly Page<never>[];

/** All actions of all pages. */
export const ACTIONS: readonly Action[] = [];
