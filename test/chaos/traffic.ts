/*
 * The traffic of a chaos run, as publishers send it, workers take it and the account expects it. Every message goes to
 * two queues: `chaos.work`, which does with it what its kind says, and `chaos.audit`, which handles everything at once.
 * Some go to `chaos.crash`, too, whose workers run under `hopline work`: there `crash` ends its process, and the others
 * are what must not suffer from that.
 */

export const PREFIX = 'chaos';
export const WORK_QUEUE = 'chaos.work';
export const AUDIT_QUEUE = 'chaos.audit';
export const CRASH_QUEUE = 'chaos.crash';
export const QUEUES = [WORK_QUEUE, AUDIT_QUEUE, CRASH_QUEUE] as const;
export type QueueName = (typeof QUEUES)[number];

export interface Payload {
  /** Unique in a run. */
  readonly id: string;
  readonly kind: Kind;
  /** How often the handler of the work queue fails before it succeeds. */
  readonly failures: number;
  /** How long it works, in milliseconds. */
  readonly workMs: number;
  readonly marker?: typeof MARKER;
}

/** Shares of the traffic. Poison never succeeds; a crash takes its process with it; no connection survives a marked one while the network cuts at {@link MARKER}. */
export const KINDS = {
  plain: 550,
  slow: 100,
  flaky: 150,
  delayed: 100,
  sent: 50,
  poison: 50,
  crash: 1,
  marked: 10,
} as const;
export type Kind = keyof typeof KINDS;

/** In the payload of marked messages. */
export const MARKER = 'chaos-cuts-here';

/** What a handler may try before the message is given up. */
export const TRIES = 4;
export const BACKOFF = ['100ms', '400ms', '1s'] as const;

/** What the workers of the crash queue are bound to. */
export const CRASH_KINDS = ['crash', 'slow'] as const satisfies readonly Kind[];

/** Where a message has to end in a queue, if its publish was confirmed; undefined if it does not go there. */
export function endOf(kind: Kind, queue: QueueName): 'handled' | 'dead-lettered' | undefined {
  if (queue === WORK_QUEUE) return kind === 'poison' ? 'dead-lettered' : 'handled';
  if (queue === AUDIT_QUEUE) return 'handled';
  if (kind === 'crash') return 'dead-lettered';
  return CRASH_KINDS.some((each) => each === kind) ? 'handled' : undefined;
}

export const keyOf = (kind: Kind): string => `chaos.${kind}`;
