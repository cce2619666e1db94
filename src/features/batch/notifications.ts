import {
  type BatchCallback,
  type BatchFigures,
  type BatchPlan,
  type BatchWord,
  NEWS_OF,
} from '../../message/batch.js';
import { followingId } from '../../message/message-id.js';
import { decodeStep, encodeStep, type StepMessage } from '../../message/wire/chain-header.js';
import { isFinal } from '../../pipeline/final-errors.js';
import type { BatchStore } from '../../stores/batches.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { Steps } from '../chain/sender.js';

export interface NewsOptions {
  readonly steps: Steps;
  readonly clock: Clock;
  readonly log: Logger;
}

type Messages = Readonly<Partial<Record<BatchWord, StepMessage>>>;

/**
 * Maximum number, and total size, of the progress messages that are held, so that not each percent reads the
 * store.
 */
const HELD_AT_MOST = 100;
const HELD_BYTES_AT_MOST = 8_000_000;
/** Maximum age of a held message: another process may end the batch, and this one is not told. */
const HELD_FOR_MS = 30_000;

/**
 * A held progress message (undefined if the batch has none), its size, and the time until which it is held.
 */
interface Held {
  readonly message: StepMessage | undefined;
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * The notifications of batches: composed when the batch is dispatched, kept in its store, and sent by the
 * process that ends a job.
 */
export class NewsOfBatches {
  private readonly held = new Map<string, Held>();
  private heldBytes = 0;

  constructor(private readonly options: NewsOptions) {}

  /**
   * Composes a batch's notifications, as the text that the store keeps.
   * @throws the errors of `send` for a notification that can't be sent
   */
  async written({ id, news }: BatchPlan): Promise<string> {
    const written = Object.entries(news).map(async ([what, step]) => {
      const { message, checking } = this.options.steps.compose(step, {
        news: { id, news: what as BatchWord },
      });
      return [what, encodeStep((await checking) ?? message)] as const;
    });
    return JSON.stringify(Object.fromEntries(await Promise.all(written)));
  }

  /**
   * Sends a callback, if the batch has it, and marks it as sent. A callback that can never be sent is logged,
   * and does not hold up the job that has caused it.
   *
   * @throws errors of the store's client, and those errors of `send` that are temporary
   */
  async send(store: BatchStore, id: string, callback: BatchCallback, figures: BatchFigures): Promise<void> {
    if (callback === 'finally') this.letGo(id);
    const message = (await messagesOf(store, id))?.[callback];
    try {
      if (message) await this.deliver(message, id, callback, figures, followingId(id, callback));
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.options.log.error(
        { batchId: id, callback: NEWS_OF[callback], key: message?.key, error },
        'a callback of a batch cannot be sent: the batch goes on without it',
      );
    }
    await store.sent(id, callback);
  }

  /** Sends the progress message. Never rejects: another one will follow. */
  async sendProgress(store: BatchStore, id: string, figures: BatchFigures): Promise<void> {
    try {
      const message = await this.progressOf(store, id);
      if (message)
        await this.deliver(message, id, 'progress', figures, followingId(id, `progress/${figures.progress}`));
    } catch (error) {
      this.options.log.warn({ batchId: id, error }, 'how far a batch is could not be sent');
    }
  }

  private deliver(
    step: StepMessage,
    id: string,
    news: BatchWord,
    figures: BatchFigures,
    messageId: string,
  ): Promise<unknown> {
    const carried = { headers: {}, correlationId: id };
    return this.options.steps.deliver(
      { step, batch: { id, news, figures }, mustRoute: true },
      messageId,
      carried,
    );
  }

  private async progressOf(store: BatchStore, id: string): Promise<StepMessage | undefined> {
    const held = this.held.get(id);
    const now = this.options.clock.monotonic();
    if (held && now < held.until) return held.message;
    const messages = await messagesOf(store, id);
    // The batch is forgotten: whoever opens one with its id gives new notifications.
    if (!messages) return undefined;
    const { progress: message } = messages;
    this.hold(id, { message, bytes: message?.body.length ?? 0, until: now + HELD_FOR_MS });
    return message;
  }

  private hold(id: string, held: Held): void {
    this.letGo(id);
    this.held.set(id, held);
    this.heldBytes += held.bytes;
    for (const oldest of this.held.keys()) {
      if (this.held.size <= HELD_AT_MOST && this.heldBytes <= HELD_BYTES_AT_MOST) return;
      this.letGo(oldest);
    }
  }

  private letGo(id: string): void {
    this.heldBytes -= this.held.get(id)?.bytes ?? 0;
    this.held.delete(id);
  }
}

/** The notifications that a store keeps for a batch; undefined if the store does not have the batch. */
async function messagesOf(store: BatchStore, id: string): Promise<Messages | undefined> {
  const text = await store.callbacks(id);
  if (text === undefined) return undefined;
  const written = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(written.map(([what, step]) => [what, decodeStep(step, what)]));
}
