import type { Action } from '../page.js';

/** Reads all dead letters again, whatever the index believes. */
export const readAgain: Action = {
  path: '/failures/read-again',
  async run({ site }) {
    // Not awaited: it may take seconds, and the page shows how far it is.
    void site.index.refresh({ force: true });
    return { to: '/failures', say: 'The dead letters are being read again.' };
  },
};
