import { HandlerView } from './handlers/handler-view.js';
import { HandlersView } from './handlers/view.js';
import { OverviewView } from './overview/view.js';
import { QueueView } from './queues/queue-view.js';
import { QueuesView } from './queues/view.js';
import { RunningView } from './running/view.js';
import type { View } from './view.js';

/** The view of each page, by the page's name: what the browser has of the pages. */
export const VIEWS: Readonly<Record<string, View<never>>> = {
  overview: OverviewView as View<never>,
  running: RunningView as View<never>,
  queues: QueuesView as View<never>,
  queue: QueueView as View<never>,
  handlers: HandlersView as View<never>,
  handler: HandlerView as View<never>,
};
