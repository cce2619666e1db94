import { ConnectError } from '../../errors.js';
import type { FailureIndex } from '../../failures/groups/group.js';
import type { Operations } from '../../failures/operations/operation.js';

/* What an application's pages have until the real ones are in place. */

export const interimIndex: FailureIndex = {
  state: {
    ...{ state: 'empty', readAt: undefined, letters: 0, progress: undefined, leftOut: 0 },
    problem: undefined,
  },
  refresh: async () => {},
  groups: async () => [],
  group: async () => undefined,
  letters: () => ({ count: 0, letters: [] }),
  mark: async () => {
    throw none();
  },
};

export const interimOperations: Operations = {
  list: async () => [],
  begin: async () => {
    throw none();
  },
  stop: async () => {
    throw none();
  },
  ended: async () => {
    throw none();
  },
  close: async () => {},
};

const none = () => new ConnectError('there are no operations yet', 'Use the command.');
