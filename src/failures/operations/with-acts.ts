import { intoTrash, outOfTrash } from '../acting/trash.js';
import { LiveOperations, type LiveOperationsOptions } from './live-operations.js';

/** Operations that forget into the trash, and restore from there. */
export function liveOperations(options: Omit<LiveOperationsOptions, 'acts'>): LiveOperations {
  const { session, settings } = options;
  return new LiveOperations({
    ...options,
    acts: {
      forget: (by) => intoTrash(session, settings, by),
      restore: () => outOfTrash(session, settings),
    },
  });
}
