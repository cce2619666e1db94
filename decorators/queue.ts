import type { QueueOptions } from '../src/consume/handlers/definition.js';
import { type ClassAnnotation, classAnnotation } from './annotation.js';

/**
 * Options of the queue that all handlers of a class share. Set a `name` in anything that lives long: the
 * default, `<service>.<ClassName>`, changes when the class is renamed or bundled, and the old queue stays
 * behind with its messages.
 */
export const Queue: (options: QueueOptions) => ClassAnnotation = classAnnotation(
  'Queue',
  (said, options: QueueOptions) => {
    said.queue = { ...said.queue, ...options };
  },
);
