import 'reflect-metadata';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { container } from 'tsyringe';
import { Handles, handlers } from '../../decorators/index.js';
import { Bus, type MessageContext, rabbitmq } from '../../src/index.js';
import { installPackage } from '../support/broker/apt.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';

const run = promisify(execFile);

class Inbox {
  readonly received: { payload: unknown; messageId: string | undefined; key: string }[] = [];
}

@Handles('parcel.*.arrived')
class ParcelArrived {
  constructor(private readonly inbox: Inbox) {}

  handle(payload: { id: number }, { messageId, routingKey }: MessageContext): void {
    this.inbox.received.push({ payload, messageId, key: routingKey });
  }
}

/** Debian's amqp-tools: a client in C that knows nothing of us. */
async function hasAmqpPublish(): Promise<boolean> {
  const works = () =>
    run('amqp-publish', ['--help']).then(
      () => true,
      () => false,
    );
  if (await works()) return true;
  const declined = await installPackage('amqp-tools');
  if (!declined) return works();
  process.stderr.write(
    `tests: no amqp-publish (${declined.reason}); a bare amqplib channel stands in for it\n`,
  );
  return false;
}

describe('a message of a foreign client', () => {
  const prefix = `foreign-${process.pid}`;
  let url: string;
  let bus: Bus;
  const inbox = new Inbox();

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    ({ url } = await sharedBroker());
    const own = container.createChildContainer();
    own.registerInstance(Inbox, inbox);
    bus = new Bus({
      service: prefix,
      prefix,
      transport: rabbitmq({ url }),
      handlers: handlers([ParcelArrived], { container: own }),
    });
    await bus.start();
  });

  after(async () => {
    await bus?.stop();
    const connection = await connect(url);
    const channel = await connection.createChannel();
    const queue = `${prefix}.ParcelArrived`;
    for (const name of [queue, `${queue}.dead`]) await channel.deleteQueue(name);
    for (const name of [`${prefix}.events`, `${prefix}.dead`]) await channel.deleteExchange(name);
    await connection.close();
  });

  it('that amqp-publish sends with a JSON body reaches a decorated handler', async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const exchange = `${prefix}.events`;
    const body = JSON.stringify({ id: 7, name: 'Zoë' });
    if (await hasAmqpPublish()) {
      await run('amqp-publish', [
        '--url',
        url,
        '--exchange',
        exchange,
        '--routing-key',
        'parcel.eu.arrived',
        '--body',
        body,
      ]);
    } else {
      const connection = await connect(url);
      const channel = await connection.createConfirmChannel();
      channel.publish(exchange, 'parcel.eu.arrived', Buffer.from(body));
      await channel.waitForConfirms();
      await connection.close();
    }
    await eventually(() => inbox.received.length === 1);
    assert.deepEqual(inbox.received, [
      { payload: { id: 7, name: 'Zoë' }, messageId: undefined, key: 'parcel.eu.arrived' },
    ]);
  });

  it('finds ours readable: raw JSON, and what is known of it in standard properties', async () => {
    const connection = await connect(url);
    try {
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, `${prefix}.events`, 'ours.#');
      await bus.publish(
        'ours.one',
        { text: 'grüße' },
        { messageId: 'id-1', correlationId: 'c-1', headers: { shard: 3 } },
      );
      const message = await eventually(() => channel.get(queue));
      assert.equal(message.content.toString(), '{"text":"grüße"}');
      const { contentType, deliveryMode, messageId, correlationId, timestamp, type, appId, headers } =
        message.properties;
      assert.deepEqual(
        { contentType, deliveryMode, messageId, correlationId, type, appId, headers },
        {
          contentType: 'application/json',
          deliveryMode: 2,
          messageId: 'id-1',
          correlationId: 'c-1',
          type: 'ours.one',
          appId: prefix,
          headers: { shard: 3 },
        },
      );
      assert.ok(Math.abs(timestamp - Date.now() / 1_000) < 60);
    } finally {
      await connection.close();
    }
  });
});
