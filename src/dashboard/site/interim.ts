import { ConnectError } from '../../errors.js';
import type { FailureIndex } from '../../failures/groups/group.js';
import type { Operations } from '../../failures/operations/operation.js';
import type { QueueFacts } from '../../observe/alerts/measuring/snapshot.js';
import { Monitored, type MonitoredOptions } from '../../oversight/application/monitored.js';
import type { Seen, SeenQueue, Watch } from './seen.js';

/* What an application's pages have until the real ones are in place. */

export function interimWatch(options: Omit<MonitoredOptions, 'wait'>): Watch {
  const monitored = new Monitored({ ...options, wait: '200ms' });
  let seen: Seen | undefined;
  const look = async (): Promise<Seen> => {
    const { clock } = monitored.transport;
    const { queues, broker } = await monitored.look();
    seen = {
      at: clock.now(),
      ...{ reached: true, silent: [], processes: [], handlers: [], delays: [], paused: undefined },
      lost: broker.lost,
      queues: queues.map(queueOf),
      broker: {
        ...{ name: options.transport.kind, cluster: undefined, blocked: broker.blocked, nodes: [] },
        ...{ critical: undefined, connections: undefined, connectionChurn: undefined },
      },
    };
    return seen;
  };
  return {
    get seen() {
      return seen;
    },
    latest: look,
    follow: () => () => {},
    history: async () => ({ from: 0, stepMs: 5_000, values: [] }),
    running: async () => [],
    slowest: async () => [],
    close: () => monitored.close(),
  };
}

const queueOf = ({ queue, of, length, consumers, paused, oldestMs, deadLetters }: QueueFacts): SeenQueue => ({
  ...{ queue, of, length, consumers, paused, oldestMs, deadLetters },
  ...{ unsettled: undefined, type: undefined, inRate: undefined, outRate: undefined, clearMs: undefined },
  ...{ slots: undefined, running: undefined, waiting: undefined, held: false, openCircuits: [] },
});

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
