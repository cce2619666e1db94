import { ControlError, KeptDocumentError } from '../errors.js';
import { lockOf } from '../topology/names.js';
import type { Session } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';
import { jsonIn } from '../util/json-shape.js';
import { keptLock } from './kept-lock.js';

/**
 * Deadline of a read. Each other reader holds the message for some milliseconds; a stopped process holds it for
 * as long as it is stopped.
 */
const READ_MS = 10_000;

/** Deadline of a write's confirm, and of the queue's declaration. */
const WRITE_MS = 10_000;

/** For how long a queue that is not there is not looked for again: the broker logs each look as an error, and each costs a channel. */
const MISSING_MS = 60_000;

/** Most bytes of a document, unless it says otherwise: each write sends all of it to the broker, and each read has all of it sent. */
const MOST_BYTES = 512 * 1024;

export interface KeptDocumentOptions<T> {
  readonly session: Pick<Session, 'publish' | 'hold' | 'listen' | 'declare' | 'inspect'>;
  readonly clock: Clock;
  /** Queue that keeps it. */
  readonly queue: string;
  /**
   * `writer`: the first change declares the queue, and one that is not there is read as empty. `others`: it is there, or a read and a
   * change reject. @default 'writer'
   */
  readonly declaredBy?: 'writer' | 'others';
  /** Name of the lock under which it is changed. @default '<queue>.lock' */
  readonly lock?: string;
  /** What is read before the first change. */
  readonly empty: T;
  /** The document that this is, which JSON was made of; undefined if it is of another form. */
  decode(content: unknown): T | undefined;
  /** Most bytes of it. @default 512 KiB */
  readonly mostBytes?: number;
  /** What a message of another form counts as, and is overwritten as. @default KeptDocumentError */
  readonly ifUnreadable?: T;
}

/**
 * A document that is kept in the broker, as JSON in the one message of a durable queue of length one, so that a newer
 * message replaces it. A reader takes the message and gives it back; the broker keeps it for as long as the
 * queue exists. The length limit does not count messages that a reader holds: a writer that ignored readers
 * could see the old message come back and push out the new one.
 */
export class KeptDocument<T> {
  /** End of the last change of this object: those of one process take turns without asking the broker. */
  private changing: Promise<unknown> = Promise.resolve();
  /** When the queue was last found missing; undefined if it was not. */
  private missingAt: number | undefined;

  constructor(private readonly options: KeptDocumentOptions<T>) {}

  /**
   * The document as it is now; one that nobody has written yet may be seen up to a minute late.
   *
   * @throws ConnectError if the broker doesn't answer by the deadline, TopologyError if it refuses
   * @throws KeptDocumentError for a message of another form
   */
  async read(deadline = new Deadline(this.options.clock, READ_MS)): Promise<T> {
    const { session, queue, empty } = this.options;
    if (this.isKnownMissing() || !(await this.isThere())) return empty;
    const held = await session.hold(queue, deadline);
    held?.requeue();
    return held ? this.decoded(held.body) : empty;
  }

  /** Somebody says that it was written: a queue that was not there is looked for again. */
  expect(): void {
    this.missingAt = undefined;
  }

  /**
   * Replaces the document by what `change` makes of it, and resolves with that when the broker has confirmed it. Nobody else changes it
   * meanwhile. Nothing is written if `change` returns what it was given. The
   * old message is held until the new one is confirmed. A crash in between leaves both messages until one
   * pushes the other out; the caller was not told of success then, so either document may apply.
   *
   * @param afterwards awaited before anybody else may change it
   * @throws what `change` and `afterwards` throw
   * @throws ConnectError if the broker doesn't give the old one, ControlError if it doesn't confirm the new
   * one: the change may or may not apply
   * @throws KeptDocumentError for a message of another form, or if there would be too much of it; TopologyError
   */
  change(change: (before: T) => T | Promise<T>, afterwards?: (after: T) => Promise<unknown>): Promise<T> {
    const changing = this.changing.then(() => this.changeLocked(change, afterwards));
    this.changing = changing.catch(() => {});
    return changing;
  }

  private async changeLocked(
    change: (before: T) => T | Promise<T>,
    afterwards: ((after: T) => Promise<unknown>) | undefined,
  ): Promise<T> {
    const { session, queue, clock, lock: name = lockOf(queue) } = this.options;
    const lock = await keptLock(session, name, clock);
    try {
      if (!(await this.isThere())) {
        const topology = { exchanges: [], queues: [], kept: [queue] };
        await session.declare(topology, 'declare', new Deadline(clock, WRITE_MS));
        this.missingAt = undefined;
      }
      const after = await this.replace(change);
      await afterwards?.(after);
      return after;
    } finally {
      await lock.close();
    }
  }

  private async replace(change: (before: T) => T | Promise<T>): Promise<T> {
    const { session, queue, clock, empty } = this.options;
    const held = await session.hold(queue, new Deadline(clock, READ_MS));
    try {
      const before = held ? this.decoded(held.body) : empty;
      const after = await change(before);
      if (after === before) held?.requeue();
      else {
        await this.write(after);
        await held?.ack();
      }
      return after;
    } catch (error) {
      held?.requeue();
      throw error;
    }
  }

  private async write(document: T): Promise<void> {
    const { session, queue, mostBytes = MOST_BYTES } = this.options;
    const body = Buffer.from(JSON.stringify(document));
    if (body.length > mostBytes)
      throw new KeptDocumentError(
        queue,
        `what is to be kept in queue '${queue}' has ${body.length} bytes, and ${mostBytes} is the most`,
        'Give shorter notes, or fewer ids at once.',
      );
    const message = {
      to: 'exchange',
      exchange: '',
      routingKey: queue,
      body,
      properties: { deliveryMode: 2, contentType: 'application/json' },
      mustRoute: true,
      deadlineMs: WRITE_MS,
    } as const;
    await session.publish(message).catch((error) => {
      throw new ControlError(error);
    });
  }

  private async isThere(): Promise<boolean> {
    const { session, queue, clock, declaredBy = 'writer' } = this.options;
    if (declaredBy === 'others') return true;
    const isThere = (await session.inspect(queue)) !== undefined;
    this.missingAt = isThere ? undefined : clock.monotonic();
    return isThere;
  }

  private isKnownMissing(): boolean {
    return this.missingAt !== undefined && this.options.clock.monotonic() - this.missingAt < MISSING_MS;
  }

  /** Any program may put something else there. */
  private decoded(body: Buffer): T {
    const { queue, decode, ifUnreadable, mostBytes = MOST_BYTES } = this.options;
    const document = body.length > mostBytes ? undefined : decode(jsonIn(body));
    if (document !== undefined) return document;
    if (ifUnreadable !== undefined) return ifUnreadable;
    throw new KeptDocumentError(
      queue,
      `the message in queue '${queue}' is no document of this version of Hopline`,
      `Look at it, in the management UI or by \`rabbitmqadmin get queue=${queue}\`. A newer version of Hopline may have written it: use that one. If it is of another program, purge the queue.`,
    );
  }
}
