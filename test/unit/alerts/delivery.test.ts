import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { Alert } from '../../../src/observe/alerts/alert.js';
import { Delivery } from '../../../src/observe/alerts/sinks/delivery.js';
import { Ping } from '../../../src/observe/alerts/sinks/ping.js';
import { Webhook, type WebhookOptions } from '../../../src/observe/alerts/sinks/webhook.js';
import { systemClock } from '../../../src/util/clock.js';
import type { Logger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { WebhookReceiver } from '../../support/webhook-receiver.js';

const NOW = 1_700_000_000_500;

const alert = (facts: Partial<Alert> = {}): Alert => ({
  id: 'queue_length orders',
  measure: 'queue_length',
  subject: 'orders',
  state: 'fired',
  severity: 'critical',
  value: 12,
  limit: 10,
  message: "12 messages wait in queue 'orders', above 10",
  help: 'Add a <worker> & look.',
  since: new Date(NOW).toISOString(),
  at: new Date(NOW).toISOString(),
  ...facts,
});

describe('the delivery of alerts', () => {
  let receiver: WebhookReceiver;
  let lines: string[];
  let deliveries: Delivery[];
  const note = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${String((fields as { error?: unknown }).error)}`);
  const log: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };

  beforeEach(async () => {
    receiver = await WebhookReceiver.start();
    lines = [];
    deliveries = [];
  });

  afterEach(async () => {
    for (const each of deliveries) await each.end(0);
    await receiver.stop();
  });

  function webhook(options: Partial<WebhookOptions> = {}, deadlineMs = 30_000): Delivery {
    const sink = new Webhook({ ...options, url: options.url ?? receiver.url }, 'shop', () => NOW);
    const delivery = new Delivery(sink, { clock: systemClock, log, deadlineMs });
    deliveries.push(delivery);
    return delivery;
  }

  it('posts those of one look together, with a signature over time and body', async () => {
    webhook({ secret: 'hush' }).add([alert(), alert({ id: 'oldest orders' })]);
    const [{ body, headers }] = await eventually(
      () => receiver.posts.length > 0 && (receiver.posts as [never]),
    );
    assert.deepEqual(JSON.parse(body), { source: 'shop', alerts: [alert(), alert({ id: 'oldest orders' })] });
    const expected = createHmac('sha256', 'hush').update(`1700000000.${body}`).digest('hex');
    assert.equal(headers['hopline-signature'], `t=1700000000,v1=${expected}`);
  });

  it("has Slack's form", async () => {
    webhook({ format: 'slack' }).add([
      alert(),
      alert({ id: 'oldest orders', state: 'resolved', message: 'over' }),
    ]);
    const [post] = await eventually(() => receiver.posts.length > 0 && receiver.posts);
    assert.deepEqual(JSON.parse(post?.body ?? ''), {
      text:
        "*shop*\n:red_circle: *critical* 12 messages wait in queue 'orders', above 10\n" +
        '> Add a &lt;worker&gt; &amp; look.\n:white_check_mark: *resolved* over',
    });
    assert.equal(post?.headers['hopline-signature'], undefined);
  });

  it('is tried again, with what has become of an alert meanwhile', async () => {
    receiver.answers.push(503, 429);
    const delivery = webhook();
    delivery.add([alert(), alert({ id: 'oldest orders' })]);
    await eventually(() => receiver.posts.length === 1);
    delivery.add([alert({ state: 'resolved' })]);
    await eventually(() => receiver.posts.length === 3);
    const { alerts } = JSON.parse(receiver.posts[2]?.body ?? '') as { alerts: Alert[] };
    assert.deepEqual(
      alerts.map(({ id, state }) => `${id} ${state}`),
      ['oldest orders fired', 'queue_length orders resolved'],
    );
    assert.match(
      lines[0] ?? '',
      /^warn alerts could not be delivered; trying again Error: 127.0.0.1:\d+ answers 503$/,
    );
  });

  it('is given up where another try is of no use, and follows no redirect', async () => {
    receiver.answers.push(404, { location: receiver.url });
    const delivery = webhook();
    delivery.add([alert()]);
    await eventually(() => lines.length === 1);
    delivery.add([alert({ state: 'resolved' })]);
    await eventually(() => lines.length === 2);
    assert.match(lines[0] ?? '', /^error alerts were not delivered Error: 127.0.0.1:\d+ answers 404$/);
    assert.match(lines[1] ?? '', /answers 302, a redirect, which is not followed$/);
    assert.equal(receiver.posts.length, 2);
  });

  it('sends credentials of the address in a header, and logs neither them nor its path', async () => {
    const port = receiver.port;
    const url = `http://me:s3cret@127.0.0.1:${port}/T0KEN`;
    receiver.answers.push(400);
    webhook({ url }).add([alert()]);
    await eventually(() => lines.length === 1);
    assert.equal(
      receiver.posts[0]?.headers.authorization,
      `Basic ${Buffer.from('me:s3cret').toString('base64')}`,
    );
    await receiver.stop();
    webhook({ url }, 0).add([alert()]);
    await eventually(() => lines.length === 2);
    assert.match(lines[1] ?? '', /does not answer: (ECONNREFUSED|UND_ERR_SOCKET)$/);
    assert.doesNotMatch(lines.join(), /s3cret|T0KEN/);
    receiver = await WebhookReceiver.start();
  });

  it('leaves nothing behind that comes just as the last one is done', async () => {
    for (let turns = 0; turns < 20; turns += 1) {
      const told: string[] = [];
      const sink = {
        name: 'fast',
        tell: async (alerts: readonly Alert[]) => void told.push(...alerts.map(({ id }) => id)),
      };
      const delivery = new Delivery(sink, { clock: systemClock, log, deadlineMs: 1_000 });
      delivery.add([alert({ id: 'first' })]);
      for (let turn = 0; turn < turns; turn += 1) await undefined;
      delivery.add([alert({ id: 'second' })]);
      await new Promise(setImmediate);
      assert.deepEqual(told, ['first', 'second'], `after ${turns} turns`);
    }
  });

  it('of one receiver does not wait for that of another', async () => {
    const stuck = new Delivery(
      {
        name: 'stuck',
        tell: (_alerts, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
      },
      { clock: systemClock, log, deadlineMs: 30_000 },
    );
    deliveries.push(stuck);
    const delivery = webhook();
    for (const each of [stuck, delivery]) each.add([alert()]);
    await eventually(() => receiver.posts.length === 1);
  });

  it("tells a dead man's switch that all is looked at, as long as it is", async () => {
    let isWell = false;
    let asked = 0;
    const ping = new Ping(receiver.url, {
      clock: systemClock,
      log,
      everyMs: 10,
      isWell: () => {
        asked += 1;
        return isWell;
      },
    });
    ping.start();
    await eventually(() => asked > 3);
    assert.equal(receiver.posts.length, 0);
    isWell = true;
    await eventually(() => receiver.posts.length > 1);
    ping.stop();
  });
});
