import type { QueueOptions } from '../src/consume/definition.js';
import { annotationsAt } from './metadata.js';

/**
 * Options of the queue that all handlers of a class share. Give it a `name` in anything that lives long: the default,
 * `<service>.<ClassName>`, changes with a rename or in a bundle, and the old queue stays behind with its messages.
 */
export function Queue(options: QueueOptions): (target: new (...dependencies: never[]) => object) => void {
  return (target) => {
    const annotations = annotationsAt(target);
    annotations.queue = { ...annotations.queue, ...options };
  };
}
