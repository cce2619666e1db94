import { annotationsAt } from './metadata.js';

/**
 * Takes encrypted messages only: a plain one is dead-lettered as `undecodable`. On a class it holds for all its methods.
 * Whether a message is encrypted is its publisher's word: `encrypted` of `defineMessage`, `publish` and `send`.
 */
export function Encrypted(): (target: object, method?: string | symbol) => void {
  return (target, method) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.encrypted = true;
  };
}
