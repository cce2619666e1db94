import {
  type BatchCounts,
  type BatchPlan,
  NOTIFICATION_OF,
  type StoredNotification,
  type WireNotification,
} from '../../message/batch.js';
import { followingId } from '../../message/message-id.js';
import type { NotificationMark } from '../../message/wire/batch-header.js';
import { decodeStep, encodeStep, type StepMessage } from '../../message/wire/chain-header.js';
import { isFinal } from '../../pipeline/errors/final-errors.js';
import type { BatchStore } from '../../stores/batches.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { ChainSender } from '../chain/sender.js';

export interface BatchNotificationsOptions {
  readonly steps: ChainSender;
  readonly clock: Clock;
  readonly log: Logger;
}

type Messages = Readonly<Partial<Record<WireNotification, StepMessage>>>;

/**
 * Maximum number, and total size, of the progress messages that are held, so that not each percent reads the
 * store.
 */
const HELD_AT_MOST = 100;
const HELD_BYTES_AT_MOST = 8_000_000;
/** Maximum age of a held message: another process may end the batch, and this one does not learn of it. */
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
export class BatchNotifications {
  private readonly held = new Map<string, Held>();
  private heldBytes = 0;

  constructor(private readonly options: BatchNotificationsOptions) {}

  /**
   * Composes a batch's notifications, as the text that the store keeps.
   *
   * @throws the errors of `send` for a notification that can't be sent
   */
  async encoded({ id, notifications }: BatchPlan): Promise<string> {
    const encoded = Object.entries(notifications).map(async ([kind, step]) => {
      const notification = { id, kind: kind as WireNotification };
      const { message, checking } = this.options.steps.compose(step, { notification });
      return [kind, encodeStep((await checking) ?? message)] as const;
    });
    return JSON.stringify(Object.fromEntries(await Promise.all(encoded)));
  }

  /**
   * Sends a notification, if the batch has it, and marks it as sent. One that can never be sent is logged, and
   * does not hold up the job that has caused it.
   *
   * @throws errors of the store's client, and those errors of `send` that are temporary
   */
  async send(store: BatchStore, id: string, kind: StoredNotification, counts: BatchCounts): Promise<void> {
    if (kind === 'finally') this.letGo(id);
    const message = (await messagesOf(store, id))?.[kind];
    try {
      if (message) await this.deliver(message, { id, kind, counts }, followingId(id, kind));
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.options.log.error(
        { batchId: id, notification: NOTIFICATION_OF[kind], key: message?.key, error },
        'a notification of a batch cannot be sent: the batch goes on without it',
      );
    }
    await store.sent(id, kind);
  }

  /** Sends the progress message. Never rejects: another one will follow. */
  async sendProgress(store: BatchStore, id: string, counts: BatchCounts): Promise<void> {
    try {
      const message = await this.progressOf(store, id);
      const messageId = followingId(id, `progress/${counts.progress}`);
      if (message) await this.deliver(message, { id, kind: 'progress', counts }, messageId);
    } catch (error) {
      this.options.log.warn({ batchId: id, error }, 'the progress of a batch could not be sent');
    }
  }

  private deliver(step: StepMessage, batch: NotificationMark, messageId: string): Promise<unknown> {
    const carried = { headers: {}, correlationId: batch.id };
    return this.options.steps.deliver({ step, batch, mustRoute: true }, messageId, carried);
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
  const text = await store.notifications(id);
  if (text === undefined) return undefined;
  const steps = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(steps.map(([kind, step]) => [kind, decodeStep(step, kind)]));
}
