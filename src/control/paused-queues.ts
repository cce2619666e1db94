import { ControlError } from '../errors.js';
import type { Names } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';

/** Who looks at the same time has the message for some milliseconds each. */
const READ_MS = 10_000;

/** A write that nobody confirms is given up after this time. */
const WRITE_MS = 10_000;

/**
 * Which queues are paused, kept in the broker: one message in a durable queue of length one, so that a newer one replaces
 * it. Who reads takes it and gives it back; the broker has it for as long as the queue exists.
 */
export class PausedQueues {
  constructor(
    private readonly session: TransportSession,
    private readonly names: Names,
    private readonly clock: Clock,
  ) {}

  /** @throws ConnectError if the broker doesn't say it, TopologyError if it refuses */
  async read(): Promise<string[]> {
    const message = await this.session.peek(this.names.paused, new Deadline(this.clock, READ_MS));
    return message ? namesIn(message.body) : [];
  }

  /**
   * Resolves when the broker has it. Of two that write at once the later one's word counts: the caller sees to it that
   * there is only one.
   *
   * @throws ControlError if the broker doesn't take it
   */
  async write(paused: readonly string[]): Promise<void> {
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
