import { handlers } from 'hopline/decorators';
import type { Route } from '../account.js';
import { services } from './index.js';

/**
 * What the decorators say, read before anything runs: handlers are plain data. The account is made from this, and
 * not from what the buses report.
 */
const definitions = services
  .flatMap(({ classes }) => handlers(classes))
  .map(({ name, queue, patterns }) => ({
    queue: queue.name ?? '',
    handler: name,
    patterns: patterns.map((pattern) => (typeof pattern === 'string' ? pattern : pattern.key)),
  }));

/** Every handler with its queue. */
export const knownHandlers: readonly { readonly queue: string; readonly handler: string }[] = definitions;

/** Every queue, with the patterns of all its handlers. */
export const routes: readonly Route[] = [...new Set(definitions.map(({ queue }) => queue))].map((queue) => ({
  queue,
  patterns: definitions.filter((each) => each.queue === queue).flatMap(({ patterns }) => patterns),
}));
