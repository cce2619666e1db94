import assert from 'node:assert/strict';
import { Bus, rabbitmq } from '../../src/index.js';
import type { Alert } from '../../src/observe/alerts/alert.js';
import { eventually } from '../support/eventually.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const LONG = { timeout: 90_000, interval: 50 };

/** The two who are told of alerts: a webhook, and a handler of the bus. */
export class Told {
  private readonly messages: Alert[] = [];
  private readonly heard: Bus;

  private constructor(
    readonly receiver: WebhookReceiver,
    url: string,
    prefix: string,
  ) {
    this.heard = new Bus({ service: `${prefix}-told`, prefix, transport: rabbitmq({ url }) });
    this.heard.handle('hopline.alert', (alert) => void this.messages.push(alert as Alert), {
      queue: `${prefix}.told`,
      name: 'Told',
    });
  }

  static async start(url: string, prefix: string): Promise<Told> {
    const told = new Told(await WebhookReceiver.start(), url, prefix);
    await told.heard.start();
    return told;
  }

  /** Waits until both have been told that it fires. */
  fires(id: string): Promise<void> {
    return this.both(id, 'fired');
  }

  /**
   * Waits until both have been told of its end, and checks that it came and went once.
   *
   * @param overBus which of both came by way of the bus; while the broker takes no messages the later takes the place of the earlier
   */
  async clears(id: string, overBus: 'both' | 'the last at least' = 'both'): Promise<void> {
    await this.both(id, 'resolved');
    const statesIn = (alerts: readonly Alert[]) =>
      alerts.filter((alert) => alert.id === id).map(({ state }) => state);
    assert.deepEqual(statesIn(this.receiver.alerts), ['fired', 'resolved'], id);
    const messages = statesIn(this.messages);
    if (overBus === 'both') assert.deepEqual(messages, ['fired', 'resolved'], id);
    else assert.equal(messages.at(-1), 'resolved', id);
  }

  async stop(): Promise<void> {
    await this.heard.stop().catch(() => {});
    await this.receiver.stop();
  }

  private async both(id: string, state: Alert['state']): Promise<void> {
    const isTold = (alerts: readonly Alert[]) =>
      alerts.some((alert) => alert.id === id && alert.state === state);
    await eventually(() => {
      const { alerts } = this.receiver;
      const seen = [alerts, this.messages].map((all) =>
        all.map((alert) => `${alert.id} ${alert.state}`).join(),
      );
      assert.ok(isTold(alerts) && isTold(this.messages), `${id} is not ${state}: ${seen.join(' / ')}`);
    }, LONG);
  }
}
