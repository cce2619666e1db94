/*
 * The traffic of a chaos run, as publishers send it, workers take it and the account expects it. Every message goes to
 * two queues: `chaos.work`, which does with it what its kind says, and `chaos.audit`, which handles everything at once.
 */

export const PREFIX = 'chaos';
export const WORK_QUEUE = 'chaos.work';
export const AUDIT_QUEUE = 'chaos.audit';
export const QUEUES = [WORK_QUEUE, AUDIT_QUEUE] as const;
export type QueueName = (typeof QUEUES)[number];

export interface Payload {
  /** Unique in a run. */
  readonly id: string;
  readonly kind: Kind;
  /** How often the handler of the work queue fails before it succeeds. */
  readonly failures: number;
  /** How long it works, in milliseconds. */
  readonly workMs: number;
}

/** Shares of the traffic. Poison never succeeds. */
export const KINDS = { plain: 55, slow: 10, flaky: 15, delayed: 10, sent: 5, poison: 5 } as const;
export type Kind = keyof typeof KINDS;

/** What a handler may try before the message is given up. */
export const TRIES = 4;
export const BACKOFF = ['100ms', '400ms', '1s'] as const;

/** Where a message has to end in a queue, if its publish was confirmed. */
export function endOf(kind: Kind, queue: QueueName): 'handled' | 'dead-lettered' {
  return kind === 'poison' && queue === WORK_QUEUE ? 'dead-lettered' : 'handled';
}

export const keyOf = (kind: Kind): string => `chaos.${kind}`;
