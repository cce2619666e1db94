import { newMessageId } from '../../../message/message-id.js';
import type { Alert } from '../alert.js';
import type { AlertSink, Telling } from './sink.js';

/** @internal publishes each alert on the bus */
export class BusSink implements AlertSink {
  /** The same for each try at an alert: one that was published and not confirmed is a duplicate then. */
  private readonly messageIds = new WeakMap<Alert, string>();

  /** @param publish publishes an alert on the bus, under this message id */
  constructor(
    private readonly routingKey: string,
    private readonly publish: (routingKey: string, alert: Alert, messageId: string) => Promise<unknown>,
  ) {}

  get name(): string {
    return `routing key ${this.routingKey}`;
  }

  async tell(alerts: readonly Alert[], { told }: Telling): Promise<void> {
    for (const alert of alerts) {
      const messageId = this.messageIds.get(alert) ?? newMessageId();
      this.messageIds.set(alert, messageId);
      await this.publish(this.routingKey, alert, messageId);
      told(alert);
    }
  }
}
