import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import { z } from 'zod';
import { Bus, defineMessage, type MessageContext, rabbitmq } from '../../../src/index.js';
import { postgresStores } from '../../../src/stores/postgres/index.js';
import { migrate } from '../../../src/stores/postgres/migrate.js';
import { deadQueueOf, Names } from '../../../src/topology/names.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { TestSchema } from '../../support/postgres-schema.js';

/** What a letter's handler throws, until it is mended. */
export type Fault = 'no mailbox' | 'quota';

/** A bill has an amount in cents; one without is a dead letter at once. */
export const bill = defineMessage('bill.due', z.object({ to: z.string(), cents: z.number().int() }));

/**
 * Real workers on a real broker, whose handlers fail until they are mended. Everything has names of its own.
 */
export class Shop {
  readonly prefix = `shop-${randomBytes(4).toString('hex')}`;
  readonly mail = `${this.prefix}.mail`;
  readonly bills = `${this.prefix}.bills`;
  readonly reports = `${this.prefix}.reports`;
  /** Faults that are mended. */
  readonly mended = new Set<Fault>();
  /** Message ids that a handler got through, in their order. */
  readonly handled: string[] = [];
  /** Bills as their handler got them. */
  readonly billed: unknown[] = [];
  private readonly released = deferred();
  private readonly schema: TestSchema;
  private readonly stores: ReturnType<typeof postgresStores>;
  private readonly bus: Bus;

  private constructor(
    readonly url: string,
    database: string,
  ) {
    this.schema = new TestSchema(database);
    this.stores = postgresStores({ pool: this.schema.pool({ max: 4 }), schema: this.schema.name });
    this.bus = this.build();
  }

  /** Workers that consume, with stores in a schema of their own. */
  static async open(url: string, database: string): Promise<Shop> {
    const shop = new Shop(url, database);
    await shop.schema.connected((client) => migrate(client, shop.schema.name));
    await shop.bus.start();
    return shop;
  }

  /** Where its stores are. */
  get database() {
    return { url: this.schema.url, schema: this.schema.name };
  }

  /** Stops the workers, and drops the schema. */
  async close(): Promise<void> {
    this.released.resolve();
    await this.bus.stop();
    await this.schema.drop();
  }

  /** Mails that fail so, one dead letter each. */
  async fail(fault: Fault, count: number): Promise<readonly string[]> {
    const before = await this.length(deadQueueOf(this.mail));
    const ids = Array.from({ length: count }, () => `mail-${randomBytes(4).toString('hex')}`);
    for (const [place, messageId] of ids.entries())
      await this.bus.publish(
        'mail.due',
        { to: `user-${place}@example.org`, fault, user: 1_000 + place },
        { messageId },
      );
    await eventually(async () => assert.equal(await this.length(deadQueueOf(this.mail)), before + count), {
      timeout: 30_000,
    });
    return ids;
  }

  /** A mail that fails so, which nobody waits for. */
  async publishFailing(fault: Fault): Promise<void> {
    await this.bus.publish('mail.due', { to: 'user@example.org', fault, user: 1 });
  }

  /** Mails that are handled. */
  async deliver(count: number): Promise<void> {
    for (let place = 0; place < count; place += 1)
      await this.bus.publish('mail.due', { to: `user-${place}@example.org` });
  }

  /** A batch of so many mails, of which one fails. */
  async batch(size: number): Promise<string> {
    const jobs = Array.from({ length: size }, (_none, place) => ({
      key: 'mail.due',
      payload: { to: `user-${place}@example.org`, user: place, ...(place === 0 && { fault: 'quota' }) },
    }));
    return (await this.bus.batch(jobs).name('newsletter').dispatch()).id;
  }

  /** A job that runs, in a process that nobody sees. */
  async job(id: string): Promise<void> {
    const { jobs } = this.stores;
    const at = Date.now();
    const sent = { name: `report of ${id}`, tags: [id], service: this.prefix, routingKey: 'report.due' };
    await jobs.add([{ id, ...sent, sentAt: at, dueAt: undefined, keepMs: 600_000, message: undefined }]);
    const of = { queue: this.reports, handler: 'Report', attempt: 1, run: 'one' };
    await jobs.begin([{ id, version: 1, ...of, host: 'web-1', pid: 4_711, at }]);
    await jobs.progress([{ id, run: 'one', percent: 40, note: 'encoding', at }]);
  }

  /** A chain whose second step fails. */
  async chain(): Promise<void> {
    const before = await this.length(deadQueueOf(this.mail));
    const steps = [{}, { fault: 'quota', user: 1 }, {}].map((payload) => ({ key: 'mail.due', payload }));
    await this.bus.chain(steps).dispatch();
    await eventually(async () => assert.equal(await this.length(deadQueueOf(this.mail)), before + 1));
  }

  /** A bill that its schema does not allow. */
  async failBill(body: object): Promise<string> {
    const messageId = `bill-${randomBytes(4).toString('hex')}`;
    const before = await this.length(deadQueueOf(this.bills));
    await this.bus.publish('bill.due', body, { messageId });
    await eventually(async () => assert.equal(await this.length(deadQueueOf(this.bills)), before + 1));
    return messageId;
  }

  /** A report whose handler runs until it is cancelled, or the shop is stopped. */
  async report(): Promise<string> {
    const messageId = `report-${randomBytes(4).toString('hex')}`;
    await this.bus.publish('report.due', { pages: 12 }, { messageId });
    await eventually(async () =>
      assert.ok((await this.bus.status()).slotGroups.some(({ running }) => running > 0)),
    );
    return messageId;
  }

  /** A dead letter with any body and headers, by the way of one that the handler of `queue` has given up. */
  async bury(queue: string, letter: BuriedLetter): Promise<void> {
    const connection = await connect(this.url);
    try {
      const channel = await connection.createConfirmChannel();
      const { body, headers, contentType = 'application/json', ...rest } = letter;
      channel.publish(new Names(this.prefix).dead, queue, body, {
        headers,
        contentType,
        persistent: true,
        ...rest,
      });
      await channel.waitForConfirms();
    } finally {
      await connection.close();
    }
  }

  /** How many messages of a queue these workers handle at once. */
  slotsOf(queue: string): number | undefined {
    return this.bus.status().slotGroups.find(({ queues }) => queues.includes(queue))?.slots;
  }

  /** Messages that wait in a queue. */
  async length(queue: string): Promise<number> {
    const connection = await connect(this.url);
    try {
      return (await (await connection.createChannel()).checkQueue(queue)).messageCount;
    } finally {
      await connection.close();
    }
  }

  private build(): Bus {
    const retry = { tries: 1 };
    const bus = new Bus({
      service: this.prefix,
      prefix: this.prefix,
      transport: rabbitmq({ url: this.url }),
      stores: this.stores,
      log: silentLogger,
      failureLog: false,
    });
    bus.handle('mail.*', (payload, context) => this.sendMail(payload as Mail, context), {
      name: 'SendMail',
      queue: this.mail,
      retry,
    });
    bus.handle(
      bill,
      (payload, { messageId }) => {
        this.billed.push(payload);
        this.handled.push(messageId ?? '');
      },
      { name: 'SendBill', queue: this.bills, retry },
    );
    bus.handle('report.*', (_payload, { signal }) => this.write(signal), {
      name: 'WriteReport',
      queue: this.reports,
      retry,
      timeout: '10m',
    });
    return bus;
  }

  private sendMail({ fault, user }: Mail, { messageId }: MessageContext): void {
    if (fault && !this.mended.has(fault)) {
      if (fault === 'quota') throw new RangeError(`quota of ${user} bytes exceeded`);
      throw new TypeError(`no mailbox for user ${user}`);
    }
    this.handled.push(messageId ?? '');
  }

  private async write(signal: AbortSignal): Promise<void> {
    const cancelled = new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    await Promise.race([this.released.promise, cancelled]);
  }
}

interface Mail {
  readonly fault?: Fault;
  readonly user?: number;
}

export interface BuriedLetter {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly messageId?: string;
  readonly contentType?: string;
}
