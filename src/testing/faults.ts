import { topicMatches } from '../message/topic.js';

/** A publish that is about to be made. */
export interface PublishSite {
  /** What it is made for: a `release` counts as a retry. */
  readonly of: 'publish' | 'retry' | 'dead-letter';
  /** As the message was published, whatever it travels under. */
  readonly routingKey: string;
  readonly by: 'test' | 'service';
}

/** An ack that is about to be sent: the handler has returned, or the message's copy is confirmed. */
export interface AckSite {
  readonly routingKey: string;
}

/** What can become of a publish. */
export type PublishFault =
  /** Stored, and its publisher gets an OutcomeUnknownError. */
  | 'confirm-lost'
  /** Stored twice under one messageId: the connection went before the confirm came, and the transport wrote it again. */
  | 'sent-twice'
  /** Not stored: the process dies first. */
  | 'crash-before-publish'
  /** Stored: the process dies before it hears so. */
  | 'crash-after-publish';

/** What can become of an ack. */
export type AckFault =
  /** It gets lost with its channel: the message is delivered again. */
  | 'ack-lost'
  /** The same, but the broker notices late that the connection is gone: others are handled in between. */
  | 'ack-lost-late'
  /** The process dies first. */
  | 'crash-before-ack';

/** Decides what goes wrong, at the places where at-least-once delivery allows it. */
export interface Faults {
  onPublish(site: PublishSite): PublishFault | undefined;
  onAck(site: AckSite): AckFault | undefined;
}

/** Which message a fault is for. */
export interface FaultTarget {
  /** Pattern of its routing key. @default '#' */
  key?: string;
  /** Which publish: that of the test or a handler, of a retry's copy, or of a dead letter. @default 'publish' */
  of?: 'publish' | 'retry' | 'dead-letter';
}

interface Armed {
  readonly fault: PublishFault | AckFault;
  readonly key: string;
  /** Undefined for the ack. */
  readonly of: PublishSite['of'] | undefined;
}

/** Faults that a test has ordered, each for the next message that fits, once. */
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
