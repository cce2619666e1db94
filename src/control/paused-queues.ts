import { ControlError } from '../errors.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Names } from '../topology/names.js';
import type { Session } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/**
 * Deadline of a read. Each other reader holds the message for some milliseconds; a stopped process holds it for
 * as long as it is stopped.
 */
const READ_MS = 10_000;

/** Deadline of a write's confirm. */
const WRITE_MS = 10_000;

/**
 * The list of paused queues, kept in the broker: one message in a durable queue of length one, so that a newer
 * message replaces it. A reader takes the message and gives it back; the broker keeps it for as long as the
 * queue exists. The length limit does not count messages that a reader holds: a writer that ignored readers
 * could see the old message come back and push out the new one.
 */
export class PausedQueues {
  constructor(
    private readonly session: Pick<Session, 'publish' | 'hold'>,
    private readonly names: Names,
    private readonly clock: Clock,
  ) {}

  /** @throws ConnectError if the broker doesn't answer by the deadline, TopologyError if it refuses */
  async read(deadline = new Deadline(this.clock, READ_MS)): Promise<string[]> {
    const held = await this.session.hold(this.names.paused, deadline);
    held?.requeue();
    return held ? namesIn(held.body) : [];
  }

  /**
   * Replaces the list by the result of `change`, and resolves with that when the broker has confirmed it. The
   * old message is held until the new one is confirmed. A crash in between leaves both messages until one
   * pushes the other out; the caller was not told of success then, so either list may apply. The caller must
   * make sure that nobody else changes the list at the same time.
   *
   * @throws ConnectError if the broker doesn't give the old list, ControlError if it doesn't confirm the new
   * one: the change may or may not apply
   */
  async change(change: (paused: readonly string[]) => Promise<string[]>): Promise<string[]> {
    const held = await this.session.hold(this.names.paused, new Deadline(this.clock, READ_MS));
    try {
      const paused = await change(held ? namesIn(held.body) : []);
      await this.write(paused);
      await held?.ack();
      return paused;
    } catch (error) {
      held?.requeue();
      throw error;
    }
  }

  private async write(paused: readonly string[]): Promise<void> {
    const message: OutgoingMessage = {
      to: 'exchange',
      exchange: '',
      routingKey: this.names.paused,
      body: Buffer.from(JSON.stringify({ paused })),
      properties: { deliveryMode: 2, contentType: 'application/json' },
      mustRoute: true,
      deadlineMs: WRITE_MS,
    };
    await this.session.publish(message).catch((error) => {
      throw new ControlError(error);
    });
  }
}

/** Empty if another program has put something else there. */
function namesIn(body: Buffer): string[] {
  try {
    const { paused } = JSON.parse(body.toString()) as { paused?: unknown };
    return Array.isArray(paused) ? paused.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
