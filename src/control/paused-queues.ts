import { ControlError } from '../errors.js';
import type { Names } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/** Who looks at the same time has the message for some milliseconds each; who stands still, for as long as it does. */
const READ_MS = 10_000;

/** A write that nobody confirms is given up after this time. */
const WRITE_MS = 10_000;

/**
 * Which queues are paused, kept in the broker: one message in a durable queue of length one, so that a newer one replaces
 * it. Who reads takes it and gives it back; the broker has it for as long as the queue exists. The length counts what nobody
 * has: who would replace a message that a reader has could see the old one come back and push out the new one.
 */
export class PausedQueues {
  constructor(
    private readonly session: TransportSession,
    private readonly names: Names,
    private readonly clock: Clock,
  ) {}

  /** @throws ConnectError if the broker doesn't say it by then, TopologyError if it refuses */
  async read(deadline = new Deadline(this.clock, READ_MS)): Promise<string[]> {
    const held = await this.session.hold(this.names.paused, deadline);
    held?.requeue();
    return held ? namesIn(held.body) : [];
  }

  /**
   * Puts what `change` makes of it in its place; resolves with that when the broker has it. The old message is held
   * until the new one is confirmed. A crash in between leaves both until one pushes the other out: what nobody was told
   * is done may count or not. The caller sees to it that nobody else changes it at the same time.
   *
   * @throws ConnectError if the broker doesn't say what it is, ControlError if it doesn't take it: it may count or not
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
    const message = {
      exchange: '',
      routingKey: this.names.paused,
      body: Buffer.from(JSON.stringify({ paused })),
      properties: { deliveryMode: 2, contentType: 'application/json' },
      mandatory: true,
      deadlineMs: WRITE_MS,
    };
    await this.session.publish(message).catch((error) => {
      throw new ControlError(error);
    });
  }
}

/** None, if somebody else has put something there. */
function namesIn(body: Buffer): string[] {
  try {
    const { paused } = JSON.parse(body.toString()) as { paused?: unknown };
    return Array.isArray(paused) ? paused.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
