import type { BatchStore } from '../../stores/batches.js';
import type { Terminal } from '../output/terminal.js';
import { atStores, type StoreFlags } from './shared-stores.js';

/** The store of batches, and its name. */
export interface BatchSession {
  readonly store: BatchStore;
  readonly name: string;
}

/** Connects for as long as `use` runs. @throws UsageError, StoreConnectError */
export const atBatches = <T>(
  flags: StoreFlags,
  terminal: Terminal,
  use: (session: BatchSession) => Promise<T>,
): Promise<T> =>
  // Either kind of stores has them.
  atStores(flags, terminal, 'batches', ({ stores, name }) =>
    use({ store: stores.batches as BatchStore, name }),
  );
