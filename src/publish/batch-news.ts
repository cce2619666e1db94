import type { BatchCallback, BatchFigures, BatchNews, BatchPlan } from '../message/batch.js';
import { decodeStep, encodeStep, type StepMessage } from '../message/chain-header.js';
import { followingId } from '../message/message-id.js';
import type { BatchStore } from '../stores/batches.js';
import type { Logger } from '../util/logger.js';
import type { Steps } from './steps.js';
import { isFinal } from './unsendable.js';

export interface NewsOptions {
  readonly steps: Steps;
  readonly log: Logger;
}

type Messages = Readonly<Partial<Record<BatchNews, StepMessage>>>;

/** Of how many batches the callbacks are held, so that not each percent asks for them. */
const HELD_AT_MOST = 100;

/** What is sent for a batch: composed when it is dispatched, kept in its store, and sent by whoever ends a job. */
export class NewsOfBatches {
  private readonly held = new Map<string, Messages>();

  constructor(private readonly options: NewsOptions) {}

  /** @throws what makes one that can't be sent */
  async written({ id, news }: BatchPlan): Promise<string> {
    const written = Object.entries(news).map(async ([what, step]) => {
      const { message, checking } = this.options.steps.compose(step, {
        news: { id, news: what as BatchNews },
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
    const message = (await this.messagesOf(store, id))[callback];
    try {
      if (message) await this.deliver(message, id, callback, figures, followingId(id, callback));
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.options.log.error(
        { batchId: id, callback, key: message?.key, error },
        'a callback of a batch cannot be sent: the batch goes on without it',
      );
    }
    await store.sent(id, callback);
  }

  /** Never rejects: there will be another one. */
  async sendProgress(store: BatchStore, id: string, figures: BatchFigures): Promise<void> {
    try {
      const { progress: message } = await this.messagesOf(store, id);
      if (message)
        await this.deliver(message, id, 'progress', figures, followingId(id, `progress/${figures.progress}`));
    } catch (error) {
      this.options.log.warn({ batchId: id, error }, 'how far a batch is could not be sent');
    }
  }

  private deliver(
    step: StepMessage,
    id: string,
    news: BatchNews,
    figures: BatchFigures,
    messageId: string,
  ): Promise<void> {
    const carried = { headers: {}, correlationId: id };
    return this.options.steps.deliver(
      { step, batch: { id, news, figures }, mustRoute: true },
      messageId,
      carried,
    );
  }

  private async messagesOf(store: BatchStore, id: string): Promise<Messages> {
    const held = this.held.get(id);
    if (held) return held;
    const text = (await store.callbacks(id)) ?? '{}';
    const written = Object.entries(JSON.parse(text) as Record<string, unknown>);
    const messages: Messages = Object.fromEntries(
      written.map(([what, step]) => [what, decodeStep(step, what)]),
    );
    const [oldest] = this.held.keys();
    if (oldest !== undefined && this.held.size >= HELD_AT_MOST) this.held.delete(oldest);
    this.held.set(id, messages);
    return messages;
  }
}
