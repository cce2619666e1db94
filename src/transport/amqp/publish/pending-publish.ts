import { AsyncResource } from 'node:async_hooks';
import type { OutgoingMessage } from '../../../message/message.js';
import type { Published } from '../../../message/published.js';
import { isMandatory } from '../../../topology/address.js';
import type { Address } from '../../../topology/plan.js';

/** The broker's answer to one writing of a message. */
export type Verdict = 'confirmed' | 'returned' | 'nacked';

/** A message, and where it is written: a plain one is its own address. */
export interface Addressed {
  readonly message: OutgoingMessage;
  readonly address: Address;
}

/**
 * One publish that has not ended. It keeps the async context of its call, which is restored if it is written at
 * another time: tracers read the context there, and would otherwise give it the trace of another message.
 */
export class PendingPublish extends AsyncResource implements Addressed {
  /** Written and not answered: it counts in the window of unconfirmed publishes. */
  inFlight = false;
  /** The publishing call has returned: the current async context is another one by now. */
  isLate = false;
  /**
   * A channel on which it was written was lost before the answer: the broker may have it, whatever its next
   * answer is.
   */
  outcomeUnknown = false;
  nacks = 0;
  /** Monotonic milliseconds. */
  firstNackAt: number | undefined;
  ended = false;
  /** A return by the broker is the end of it: some queue had to take it. */
  readonly mustRoute: boolean;
  /**
   * True also if its exchange is young: the broker must return it if no queue takes it, though its caller
   * doesn't ask for that.
   */
  mandatory: boolean;
  /** Number of returns after which it was kept for another try. */
  kept = 0;
  /** The missing part of the topology was declared again, or that was found to be impossible. */
  redeclared = false;

  constructor(
    readonly message: OutgoingMessage,
    readonly address: Address,
    /** Monotonic milliseconds. */
    readonly deadlineAt: number,
    readonly resolve: (receipt: Published | undefined | Promise<Published | undefined>) => void,
    readonly reject: (error: Error) => void,
  ) {
    super('HOPLINE_PUBLISH');
    this.mustRoute = isMandatory(message, address);
    this.mandatory = this.mustRoute;
  }

  get bytes(): number {
    return this.message.body.length;
  }
}
