import type { Duration } from '../util/duration.js';
import type { IsPattern } from './define-message.js';
import type { ExchangeOption } from './exchange-option.js';
import type { Headers } from './properties.js';
import type { UniqueSend } from './unique.js';

/** Options of one publish or send. */
export interface PublishOptions {
  /** Concrete routing key; required if the definition's own key is a pattern. @default the definition's key */
  key?: string;
  /**
   * Headers for consumers. Names that begin with `hopline-`, and the broker's own (`x-death` …), are left out.
   * @default none
   */
  headers?: Headers;
  /**
   * Id of the message, up to 255 bytes. Give your own to publish again after an {@link OutcomeUnknownError}.
   * @default a new UUIDv7
   */
  messageId?: string;
  /**
   * Id of the business process that the message belongs to. Messages published with a handler's context inherit
   * it. @default none; in a handler, that of the handled message
   */
  correlationId?: string;
  /** Exchange instead of the bus's own; declared or verified at its first use. @default the bus's */
  exchange?: ExchangeOption;
  /**
   * The one queue that a `send` goes to, past all exchanges, as with {@link Publisher.sendToQueue}. The routing key then only says which
   * handler of the queue it is for. Can't be combined with `exchange`; `publish` refuses it. @default none
   */
  queue?: string;
  /**
   * Time until the message is due, 100 ms to 400 days, rounded up to 100 ms; the broker holds the message
   * meanwhile. @default none: due at once
   */
  delay?: Duration;
  /** Moment at which the message is due. Can't be combined with `delay`. @default none: due at once */
  at?: Date;
  /**
   * Priority, 0 to 255, highest first, in queues with `maxPriority`; in other queues its effect depends on the
   * broker. @default none
   */
  priority?: number;
  /**
   * Lane of the destination queues. The message reaches only queues that have this lane: if none has, a
   * `publish` is dropped like any event without a queue, and a `send` throws an UnroutableError. @default
   * 'default', the queues themselves
   */
  lane?: string;
  /**
   * Maximum time that the message may wait in a queue before the broker dead-letters it. Can't be combined with
   * a delay. @default none
   */
  expiration?: Duration;
  /** Queue for the answer, for consumers that answer. @default none */
  replyTo?: string;
  /**
   * AMQP `user-id`: the broker refuses any other than the connection's own. Can't be combined with a delay.
   * @default none
   */
  userId?: string;
  /** Maximum time of the publish until its confirm. @default the bus's `publishDeadline`, 30 s */
  deadline?: Duration;
  /**
   * Allows a delay on an exchange that the bus only verifies (`declare: false`). A delayed message reaches only
   * queues that Hopline declared; a foreign queue on the same exchange doesn't get it. @default false
   */
  allowForeignExchange?: boolean;
  /**
   * Makes this `send` unique: it fails while another message with this key waits or is handled. Takes
   * precedence over the `unique` of the definition and of the handler. `publish` refuses it. @default the
   * definition's, else that of the bus's own handler of the message
   */
  unique?: UniqueSend;
  /**
   * Encrypts the body with the bus's `encryption`. An encrypted message goes alone, never in a pack. `false` is
   * refused if the definition encrypts. @default the definition's, else false
   */
  encrypted?: boolean;
  /**
   * Gives this `send` a record in the bus's `stores`, and resolves with a {@link SentJob}: its status, its result, its end. A tracked
   * message goes alone, never in a pack. `publish` refuses it. @default false
   */
  track?: boolean;
  /**
   * Name of this `send`, by which it is moved and taken back while it waits; up to 255 bytes. It has a record like one with `track`. While
   * a job with the name has not ended, another is refused with a NameTakenError. @default none
   */
  name?: string;
  /** Texts by which the job is found, such as `order:7`: at most 20. Only with `track` or `name`. @default none */
  tags?: string[];
  /** Time for which the record is kept after the job's end, up to 366 days. Only with `track` or `name`. @default '1d' */
  keep?: Duration;
}

/** What makes a send a job, which it then resolves with. */
export type JobOptions = { track: true } | { name: string };

/** Publish options of a send that is a job; `key` is required if the definition's key is a pattern. */
export type JobOptionsFor<Key extends string> =
  IsPattern<Key> extends true
    ? [options: PublishOptions & JobOptions & { key: string }]
    : [options: PublishOptions & JobOptions];

/** Options of a message that is sent to a queue. */
export type SendToQueueOptions = Omit<PublishOptions, 'exchange' | 'queue' | 'allowForeignExchange'>;

/** The same for a definition's options: `key` is required if the definition's key is a pattern. */
export type QueueOptionsFor<Options extends readonly [options?: PublishOptions]> = {
  [Place in keyof Options]: Omit<NonNullable<Options[Place]>, 'exchange' | 'queue' | 'allowForeignExchange'>;
};

/** Options of jobs, which nothing else has. */
export type OfJobs = 'track' | 'name' | 'tags' | 'keep';

/** Publish options of a definition; `key` is required if the definition's key is a pattern. */
export type OptionsFor<Key extends string> =
  IsPattern<Key> extends true ? [options: PublishOptions & { key: string }] : [options?: PublishOptions];

/** Options of publishing many messages that differ only in their payload. Each message gets a messageId of its own. */
export interface PublishManyOptions extends Omit<PublishOptions, 'messageId' | 'unique' | OfJobs> {
  /**
   * Maximum payloads in one AMQP message, 2 to 10,000: the broker's work per message is then done once for all
   * of them. The payloads are still handled, retried and dead-lettered one by one. Consumers must run a Hopline
   * that knows packs. @default the definition's `pack.max`; without it each payload is a message
   */
  pack?: number;
}

/** See {@link OptionsFor}. */
export type ManyOptionsFor<Key extends string> =
  IsPattern<Key> extends true
    ? [options: PublishManyOptions & { key: string }]
    : [options?: PublishManyOptions];

/** `publish`: no queue needs to take the message. `send`: one must. */
export type PublishIntent = 'publish' | 'send';

/** How a message leaves: a request, too, passes all that publishes do. */
export type LeavingIntent = PublishIntent | 'request';
