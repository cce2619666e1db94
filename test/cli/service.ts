import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import { Bus, type Headers, type PublishOptions, rabbitmq, staticKeys } from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { eventually } from '../support/eventually.js';

/** A service whose handler fails as the payload says, until it is mended; with names of its own. */
export class FailingService {
  readonly name = `cli-${randomBytes(4).toString('hex')}`;
  readonly queue = `${this.name}.mail`;
  /** Ids of what its handler got through. */
  readonly handled = new Set<string>();
  readonly payloads: unknown[] = [];
  readonly headers: Readonly<Headers>[] = [];
  /** As the command takes them. */
  readonly keys = { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } };
  calls = 0;
  mended = false;
  private bus: Bus | undefined;

  constructor(readonly url: string) {}

  async start(): Promise<void> {
    this.bus = new Bus({
      service: this.name,
      prefix: this.name,
      transport: rabbitmq({ url: this.url }),
      concurrency: 50,
      encryption: { keys: staticKeys(this.keys) },
      log: silentLogger,
    });
    this.bus.handle(
      'mail.#',
      async (payload, context) => {
        if (!this.mended) {
          if ((payload as { bad?: boolean }).bad) throw new TypeError('no mailbox\nat all');
          context.fail('the server says no');
          return;
        }
        this.calls += 1;
        this.payloads.push(payload);
        this.headers.push(context.headers);
        this.handled.add(context.messageId ?? '');
      },
      { queue: this.queue, retry: { tries: 1 } },
    );
    this.bus.handle('done.*', () => {}, { queue: this.queue });
    await this.bus.start();
  }

  async stop(): Promise<void> {
    await this.bus?.stop();
    this.bus = undefined;
  }

  /** Publishes one message for each id, and waits until it is dead. Ids that begin with `bad` fail otherwise. */
  async fail(...ids: string[]): Promise<void> {
    await this.failing(ids, {});
  }

  /** The same, encrypted. */
  async failEncrypted(...ids: string[]): Promise<void> {
    await this.failing(ids, { encrypted: true });
  }

  private async failing(ids: readonly string[], options: PublishOptions): Promise<void> {
    const before = (await this.ready(`${this.queue}.dead`)) ?? 0;
    for (const messageId of ids)
      await this.bus?.publish(
        `mail.${messageId}`,
        { to: messageId, bad: messageId.startsWith('bad') },
        { ...options, messageId },
      );
    await eventually(async () => (await this.ready(`${this.queue}.dead`)) === before + ids.length);
  }

  /** Dispatches a chain whose step of this place is dead when this resolves. */
  async failStep(id: string, place: number, of: number): Promise<void> {
    const before = (await this.ready(`${this.queue}.dead`)) ?? 0;
    const keys = Array.from({ length: of }, (_none, index) =>
      index + 1 < place ? `done.${index + 1}` : `mail.${index + 1}`,
    );
    await this.bus
      ?.chain(
        keys.map((key) => ({ key, payload: key })),
        { id },
      )
      .dispatch();
    await eventually(async () => (await this.ready(`${this.queue}.dead`)) === before + 1);
  }

  /** Puts a dead letter there that failed so long ago, or of which nobody knows when. */
  async bury(messageId: string, agoMs: number | undefined): Promise<void> {
    const connection = await connect(this.url);
    try {
      const channel = await connection.createConfirmChannel();
      const failedAt =
        agoMs === undefined ? {} : { [HEADER.failedAt]: new Date(Date.now() - agoMs).toISOString() };
      const headers = { [HEADER.queue]: this.queue, [HEADER.reason]: 'exhausted', ...failedAt };
      channel.sendToQueue(`${this.queue}.dead`, Buffer.from('{}'), { messageId, headers, persistent: true });
      await channel.waitForConfirms();
    } finally {
      await connection.close();
    }
  }

  /** Messages that wait in a queue. */
  async ready(queue: string): Promise<number> {
    const connection = await connect(this.url);
    try {
      return (await (await connection.createChannel()).checkQueue(queue)).messageCount;
    } finally {
      await connection.close();
    }
  }

  dead(): Promise<number> {
    return this.ready(`${this.queue}.dead`);
  }

  async remove(): Promise<void> {
    await this.stop();
    await removeFromBroker(this.url, {
      queues: [this.queue],
      prefix: this.name,
    });
  }
}
