import { topicMatches } from '../../message/routing/topic.js';

/** A publish that is about to be made. */
export interface PublishSite {
  /** Kind of the publish: a `release` counts as a retry. */
  readonly of: 'publish' | 'retry' | 'dead-letter';
  /** Routing key of the original publish. */
  readonly routingKey: string;
  readonly by: 'test' | 'service';
}

/** An ack that is about to be sent: the handler has returned, or the message's copy is confirmed. */
export interface AckSite {
  readonly routingKey: string;
}

/** Faults of a publish. */
export type PublishFault =
  /** Stored, and the publisher gets an OutcomeUnknownError. */
  | 'confirm-lost'
  /**
   * Stored twice under one messageId: the connection was lost before the confirm, and the transport wrote the
   * message again.
   */
  | 'sent-twice'
  /** Not stored: the process dies first. */
  | 'crash-before-publish'
  /** Stored: the process dies before it gets the confirm. */
  | 'crash-after-publish';

/** Faults of an ack. */
export type AckFault =
  /** The ack is lost with its channel: the message is delivered again. */
  | 'ack-lost'
  /** The same, but the broker detects the lost connection late: other messages are handled in between. */
  | 'ack-lost-late'
  /** The process dies first. */
  | 'crash-before-ack';

/** Decides which fault happens, at the points where at-least-once delivery allows one. */
export interface Faults {
  onPublish(site: PublishSite): PublishFault | undefined;
  onAck(site: AckSite): AckFault | undefined;
}

/** Selects the message of a fault. */
export interface FaultTarget {
  /** Pattern of its routing key. @default '#' */
  key?: string;
  /** Kind of the publish: one of the test or a handler, the copy of a retry, or a dead letter. @default 'publish' */
  of?: 'publish' | 'retry' | 'dead-letter';
}

interface Armed {
  readonly fault: PublishFault | AckFault;
  readonly key: string;
  /** Undefined for an ack. */
  readonly of: PublishSite['of'] | undefined;
}

/** Faults that a test has ordered; each applies once, to the next message that matches. */
export class ArmedFaults implements Faults {
  private readonly armed: Armed[] = [];

  arm(fault: PublishFault | AckFault, { key = '#', of = 'publish' }: FaultTarget): void {
    const isAck = fault === 'ack-lost' || fault === 'ack-lost-late' || fault === 'crash-before-ack';
    this.armed.push({ fault, key, of: isAck ? undefined : of });
  }

  onPublish(site: PublishSite): PublishFault | undefined {
    return this.take(site.of, site) as PublishFault | undefined;
  }

  onAck(site: AckSite): AckFault | undefined {
    return this.take(undefined, site) as AckFault | undefined;
  }

  private take(
    of: Armed['of'],
    { routingKey, by }: AckSite & Partial<PublishSite>,
  ): Armed['fault'] | undefined {
    const index = this.armed.findIndex(
      (each) =>
        each.of === of &&
        topicMatches(each.key, routingKey) &&
        !(by === 'test' && each.fault.startsWith('crash')),
    );
    return index < 0 ? undefined : this.armed.splice(index, 1)[0]?.fault;
  }
}

/** The fault of the first that has one. Every one is asked, since each counts the call. */
export function firstFault<Fault>(
  faults: readonly Faults[],
  ask: (each: Faults) => Fault | undefined,
): Fault | undefined {
  return faults.map(ask).find((answer) => answer !== undefined);
}
