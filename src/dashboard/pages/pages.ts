import { handler, handlers } from './handlers/page.js';
import { overview } from './overview/page.js';
import type { Action, Page } from './page.js';
import { QUEUE_ACTIONS } from './queues/actions.js';
import { queue, queues } from './queues/page.js';
import { RUNNING_ACTIONS } from './running/actions.js';
import { running } from './running/page.js';

/** All pages, in the order of the navigation. */
export const PAGES: readonly Page<never>[] = [
  overview,
  running,
  queues,
  queue,
  handlers,
  handler,
] as readonly Page<unknown>[] as readonly Page<never>[];

/** All actions of all pages. */
export const ACTIONS: readonly Action[] = [...QUEUE_ACTIONS, ...RUNNING_ACTIONS];
