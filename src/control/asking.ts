import { randomUUID } from 'node:crypto';
import { ControlError } from '../errors.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Names } from '../topology/names.js';
import type { Heard } from '../transport/operator-session.js';
import type { Session } from '../transport/transport.js';
import { type Clock, pause } from '../util/clock.js';
import type { ControlAnswer } from './answer.js';
import { decodeAnswer, encode } from './protocol.js';
import type { ControlRequest } from './shapes.js';

/** Maximum time until the broker has confirmed a request. */
const PUBLISH_MS = 5_000;

/** Answers to one request. */
export interface Answers {
  readonly answers: Promise<readonly ControlAnswer[]>;
}

/** Answers that a request waits for. */
export interface Awaited {
  /** Time in which all that come are gathered. */
  readonly waitMs: number;
  /** True if no more need to be waited for. What comes later than that is left out. */
  enough?(answers: readonly ControlAnswer[]): boolean;
}

interface Open {
  readonly heard: ControlAnswer[];
  /** Called after each answer. */
  more(): void;
}

/** Asks all workers at once, and gathers their answers. */
export class Asking {
  private readonly replyTo = randomUUID();
  private readonly open = new Map<string, Open>();

  private constructor(
    private readonly session: Pick<Session, 'publish' | 'listen'>,
    private readonly names: Names,
    private readonly clock: Clock,
  ) {}

  /** @throws TopologyError if the broker doesn't allow listening for answers */
  static async begin(
    session: Pick<Session, 'publish' | 'listen'>,
    names: Names,
    clock: Clock,
  ): Promise<Asking> {
    const asking = new Asking(session, names, clock);
    const { replyTo } = asking;
    await session.listen(
      { exchange: names.controlTo, key: replyTo, queueName: () => `${names.control}.${randomUUID()}` },
      // Answers that were lost with a connection count as not given.
      { heard: (message) => asking.heard(message), back: () => {} },
    );
    return asking;
  }

  /**
   * Resolves with all answers that came in time.
   *
   * @throws ControlError if the broker doesn't take the request
   */
  async ask(request: ControlRequest, awaited: Awaited): Promise<readonly ControlAnswer[]> {
    const { answers } = await this.say(request, awaited);
    return await answers;
  }

  /**
   * Resolves when the broker has the request: every worker hears it before any later request. The answers are
   * gathered from then on.
   *
   * @throws ControlError if the broker doesn't take the request
   */
  async say(request: ControlRequest, { waitMs, enough }: Awaited): Promise<Answers> {
    const id = randomUUID();
    const heard: ControlAnswer[] = [];
    const done = new AbortController();
    const more = () => {
      if (enough?.(heard)) done.abort();
    };
    this.open.set(id, { heard, more });
    try {
      await this.publish(request, id);
    } catch (error) {
      this.open.delete(id);
      throw error;
    }
    const gather = async () => {
      await pause(this.clock, waitMs, done.signal).catch(() => {});
      this.open.delete(id);
      return heard;
    };
    return { answers: gather() };
  }

  private async publish(request: ControlRequest, correlationId: string): Promise<void> {
    const { session, names, replyTo } = this;
    const message: OutgoingMessage = {
      to: 'exchange',
      exchange: names.control,
      routingKey: '',
      body: encode(request),
      properties: { replyTo, correlationId, contentType: 'application/json' },
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    };
    await session.publish(message).catch((error) => {
      throw new ControlError(error);
    });
  }

  private heard(message: Heard): void {
    const { correlationId = '' } = message.properties;
    const answer = decodeAnswer(message);
    const open = answer && this.open.get(correlationId);
    if (!answer || !open) return;
    open.heard.push(answer);
    open.more();
  }
}
