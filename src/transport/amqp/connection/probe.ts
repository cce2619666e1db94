import type { OutgoingContent, ToExchange } from '../../../message/message.js';
import type { SharedPlan } from '../../../topology/plan.js';

const DEADLINE_MS = 30_000;

/** A message that is its own address. */
export type Probe = OutgoingContent & ToExchange;

/** A message that a quorum queue stores and then drops: its confirm shows that the broker still has a majority. */
export function probeOf({ probe }: SharedPlan): Probe {
  return {
    to: 'exchange',
    ...probe,
    body: Buffer.alloc(0),
    properties: { messageId: 'hopline-probe', deliveryMode: 2 },
    mustRoute: true,
    deadlineMs: DEADLINE_MS,
  };
}
