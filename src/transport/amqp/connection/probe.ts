import type { OutgoingMessage } from '../../../message/message.js';
import type { SharedPlan } from '../../../topology/plan.js';

const DEADLINE_MS = 30_000;

/** A message that a quorum queue stores and then drops: its confirm shows that the broker still has a majority. */
export function probeOf({ probe }: SharedPlan): OutgoingMessage {
  return {
    ...probe,
    body: Buffer.alloc(0),
    properties: { messageId: 'hopline-probe', deliveryMode: 2 },
    mandatory: true,
    deadlineMs: DEADLINE_MS,
  };
}
