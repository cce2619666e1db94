import {
  type BatchCallback,
  type BatchFigures,
  type BatchPlan,
  type BatchWord,
  NEWS_OF,
} from '../message/batch.js';
import { decodeStep, encodeStep, type StepMessage } from '../message/chain-header.js';
import { followingId } from '../message/message-id.js';
import type { BatchStore } from '../stores/batches.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { Steps } from './steps.js';
import { isFinal } from './unsendable.js';

export interface NewsOptions {
  readonly steps: Steps;
  readonly clock: Clock;
  readonly log: Logger;
}

type Messages = Readonly<Partial<Record<BatchWord, StepMessage>>>;

/** Of how many batches the progress message is held, so that not each percent asks for it; and how large those are together. */
const HELD_AT_MOST = 100;
const HELD_BYTES_AT_MOST = 8_000_000;
/** Another process may end the batch, and this one hears nothing of that. */
const HELD_FOR_MS = 30_000;

/** A progress message, undefined if the batch has none, how large it is, and until when it is held. */
interface Held {
  readonly message: StepMessage | undefined;
  readonly bytes: number;
  /** In monotonic milliseconds. */
  readonly until: number;
}

/** What is sent for a batch: composed when it is dispatched, kept in its store, and sent by whoever ends a job. */
export class NewsOfBatches {
  private readonly held = new Map<string, Held>();
  private heldBytes = 0;

  constructor(private readonly options: NewsOptions) {}

  /** @throws what makes one that can't be sent */
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
   * Sends a callback, if the batch has that, and marks it as sent. One that can't ever be sent is told of in the log, and no
   * reason to hold up the job that has led to it.
   *
   * @throws what the store's client throws, and the errors of `send` that pass
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

  /** Never rejects: there will be another one. */
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
    // It is forgotten: whoever opens one with its id says anew what is sent.
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

/** Undefined if the batch is not there. */
async function messagesOf(store: BatchStore, id: string): Promise<Messages | undefined> {
  const text = await store.callbacks(id);
  if (text === undefined) return undefined;
  const written = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(written.map(([what, step]) => [what, decodeStep(step, what)]));
}
