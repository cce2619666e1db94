import type { ProcessFacts, QueueFacts, Snapshot } from '../../../src/observe/alerts/measuring/snapshot.js';
import { readRules } from '../../../src/observe/alerts/rules/read-rules.js';
import type { AlertRule } from '../../../src/observe/alerts/rules/rule.js';
import { Board } from '../../../src/observe/alerts/state/board.js';
import { Histogram } from '../../../src/util/histogram.js';

type HandlerFacts = ProcessFacts['handlers'][number];

/** A queue of which all is known, and nothing is wrong. */
export const queue = (facts: Partial<QueueFacts> = {}): QueueFacts => ({
  queue: 'orders',
  of: facts.queue ?? 'orders',
  length: 0,
  consumers: 1,
  paused: false,
  oldestMs: 0,
  deadLetters: 0,
  ...facts,
});

export const handler = (facts: Partial<HandlerFacts> = {}): HandlerFacts => ({
  handler: 'Pay',
  queue: 'orders',
  timeoutMs: 1_000,
  running: 0,
  attempts: 0,
  failures: 0,
  timedOut: 0,
  retries: 0,
  deadLettered: 0,
  overMs: 60_000,
  recent: 0,
  recentFailures: 0,
  runtime: [],
  wait: [],
  errors: [],
  longestMs: undefined,
  circuit: undefined,
  ...facts,
});

export const worker = (
  handlers: readonly HandlerFacts[] = [handler()],
  facts: Partial<ProcessFacts> & { readonly busyMs?: number } = {},
): ProcessFacts => {
  const { busyMs = 0, ...rest } = facts;
  const lanes = [{ queue: 'orders', of: 'orders', paused: [], oldestMs: 0 }];
  const group = { queues: ['orders'], lanes, slots: 2, running: 0, waiting: 0, held: false, busyMs };
  return { id: 'a', uptimeMs: 1_000_000, slotGroups: [group], handlers, ...rest };
};

export const snapshot = (facts: Partial<Snapshot> = {}): Omit<Snapshot, 'at'> => ({
  reached: true,
  queues: [queue()],
  processes: [worker()],
  broker: { blocked: false, nearAlarm: 0, critical: [], lost: 0 },
  delays: [],
  outboxLagMs: 0,
  overdueBatches: 0,
  ...facts,
});

/** Waits of so many milliseconds, as a handler's figures have them. */
export function waits(...all: readonly number[]): HandlerFacts['wait'] {
  const histogram = new Histogram();
  for (const each of all) histogram.record(each);
  return histogram.data;
}

/** A board, and a clock that goes on with each look. */
export class Looks {
  private now = 0;
  private readonly board: Board;

  constructor(rules: readonly AlertRule[], remindMs = 1_000_000) {
    const { rules: read, problems } = readRules(rules, false);
    if (problems.length > 0) throw new Error(problems.join());
    this.board = new Board(read, remindMs);
  }

  /** What is told of this look, as `fired warning queue_length orders`. */
  look(facts: Partial<Snapshot> = {}, afterMs = 10_000): string[] {
    this.now += afterMs;
    const told = this.board.take({ ...snapshot(facts), at: this.now }, this.now);
    return told.map(({ state, severity, id }) => `${state} ${severity} ${id}`);
  }

  silence(pattern: string, forMs: number): void {
    this.board.silence(pattern, this.now + forMs);
  }

  acknowledge(pattern: string): string[] {
    return this.board.acknowledge(pattern);
  }

  /** As `queue_length orders: firing`. */
  get states(): string[] {
    return this.board.status(this.now).map(({ id, state }) => `${id}: ${state}`);
  }

  get messages(): string[] {
    return this.board.status(this.now).map(({ message }) => message);
  }
}
