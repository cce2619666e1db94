import { AsyncResource } from 'node:async_hooks';
import type { OutgoingMessage } from '../../message/message.js';
import type { Published } from '../../message/published.js';

/** How the broker answered one writing of a message. */
export type Verdict = 'confirmed' | 'returned' | 'nacked';

/**
 * One publish that has not ended. Its async context is the one in which it was published: it is put back when it is written
 * at another time, or tracers, which look there, would give it the trace of whichever message made room for it.
 */
export class PendingPublish extends AsyncResource {
  /** Written, and not answered: it occupies a place in the window of unconfirmed publishes. */
  inFlight = false;
  /** The call that published it has returned: what is active by now is another's context. */
  isLate = false;
  /** A channel it was written on went before the answer: the broker may have it, whatever it says to the next. */
  outcomeUnknown = false;
  nacks = 0;
  /** In milliseconds of the monotonic clock. */
  firstNackAt: number | undefined;
  ended = false;
  /** Its exchange is young: it is to come back if no queue takes it, though its caller doesn't ask for that. */
  mandatory: boolean;
  /** How often it came back, and was kept to be sent again. */
  kept = 0;
  /** What was missing for it was declared again, or it was found that this can't be. */
  redeclared = false;

  constructor(
    readonly message: OutgoingMessage,
    /** In milliseconds of the monotonic clock. */
    readonly deadlineAt: number,
    readonly resolve: (receipt: Published | undefined) => void,
    readonly reject: (error: Error) => void,
  ) {
    super('HOPLINE_PUBLISH');
    this.mandatory = message.mandatory;
  }

  get bytes(): number {
    return this.message.body.length;
  }
}
