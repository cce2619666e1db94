import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Alert } from '../../../src/observe/alerts/alert.js';
import { Alerts } from '../../../src/observe/alerts/alerts.js';
import { alertsSettings } from '../../../src/observe/alerts/options.js';
import { BusSink } from '../../../src/observe/alerts/sinks/bus-sink.js';
import { Delivery } from '../../../src/observe/alerts/sinks/delivery.js';
import { HttpAddress } from '../../../src/observe/alerts/sinks/http.js';
import type { AlertSink } from '../../../src/observe/alerts/sinks/sink.js';
import { slackBody } from '../../../src/observe/alerts/sinks/slack.js';
import { Webhook } from '../../../src/observe/alerts/sinks/webhook.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { systemClock } from '../../../src/util/clock.js';
import { type Logger, silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { WebhookReceiver } from '../../support/webhook-receiver.js';

const alert = (id: string, facts: Partial<Alert> = {}): Alert => ({
  id,
  measure: 'queue_length',
  subject: 'orders',
  state: 'fired',
  severity: 'critical',
  value: 12,
  limit: 10,
  message: `${id} is long`,
  help: 'Look.',
  since: '2026-01-01T00:00:00.000Z',
  at: '2026-01-01T00:00:00.000Z',
  ...facts,
});

describe('alerts that could not be delivered', () => {
  let lines: string[];
  let receiver: WebhookReceiver;
  const note = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message}: ${(fields as { alerts: string[] }).alerts.join()}`);
  const log: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };

  beforeEach(async () => {
    lines = [];
    receiver = await WebhookReceiver.start();
  });
  afterEach(() => receiver.stop());

  /** A receiver that takes nothing, and notes what it was told. */
  function deaf(): AlertSink & { readonly tries: string[] } {
    const tries: string[] = [];
    const tell = async (alerts: readonly Alert[]) => {
      tries.push(alerts.map(({ id }) => id).join());
      throw new Error('not now');
    };
    return { name: 'deaf', tries, tell };
  }

  it('are tried for a time of their own, however long others have waited', async () => {
    const clock = new ManualClock();
    const sink = deaf();
    const delivery = new Delivery(sink, { clock, log, deadlineMs: 5_000 });
    delivery.add([alert('old')]);
    await clock.advance(4_500);
    delivery.add([alert('new')]);
    await clock.advance(5_000);
    assert.ok(lines.includes('error alerts were not delivered: old'), lines.join('\n'));
    assert.equal(lines.at(-1), 'warn alerts could not be delivered; trying again: new');
    await delivery.end(0);
    assert.equal(lines.at(-1), 'error alerts were not delivered: new');
  });

  it('have one more try at once when all ends', async () => {
    const clock = new ManualClock();
    const sink = deaf();
    const delivery = new Delivery(sink, { clock, log, deadlineMs: 600_000 });
    delivery.add([alert('a')]);
    await clock.advance(0);
    assert.deepEqual(sink.tries, ['a']);
    await delivery.end(5_000);
    assert.deepEqual(sink.tries, ['a', 'a']);
    assert.equal(lines.at(-1), 'error alerts were not delivered: a');
  });

  it('keep nothing from ending in time, though their receiver hears of no end', async () => {
    const delivery = new Delivery(
      { name: 'stuck', tell: () => new Promise(() => {}) },
      { clock: systemClock, log, deadlineMs: 600_000 },
    );
    delivery.add([alert('a')]);
    await delivery.end(20);
    assert.deepEqual(lines, ['error alerts were not delivered: a']);
  });

  it('are not published again where some of them are confirmed, and keep their message id', async () => {
    const clock = new ManualClock();
    const published: [id: string, messageId: string][] = [];
    const sink = new BusSink('hopline.alert', async (_key, { id }, messageId) => {
      published.push([id, messageId]);
      if (id === 'c' && published.length < 4) throw new Error('no confirm');
    });
    const delivery = new Delivery(sink, { clock, log, deadlineMs: 60_000 });
    delivery.add([alert('a'), alert('b'), alert('c')]);
    await clock.advance(5_000);
    assert.deepEqual(
      published.map(([id]) => id),
      ['a', 'b', 'c', 'c'],
    );
    const ids = new Map(published);
    assert.equal(published[2]?.[1], ids.get('c'));
    assert.equal(new Set(ids.values()).size, 3);
    assert.deepEqual(lines, ['warn alerts could not be delivered; trying again: c']);
  });

  it('go in halves where they are too much for one request', async () => {
    receiver.answers.push(413);
    const sink = new Webhook({ url: receiver.url }, 'shop', Date.now);
    const delivery = new Delivery(sink, { clock: systemClock, log, deadlineMs: 60_000 });
    delivery.add([alert('a'), alert('b'), alert('c')]);
    await delivery.end(10_000);
    assert.deepEqual(
      receiver.posts.map(({ body }) => (JSON.parse(body) as { alerts: Alert[] }).alerts.length),
      [3, 2, 1],
    );
    assert.deepEqual(lines, []);
  });

  it('have the same delivery id at each try, and another where they are others', async () => {
    receiver.answers.push(503);
    const sink = new Webhook({ url: receiver.url }, 'shop', Date.now);
    const delivery = new Delivery(sink, { clock: systemClock, log, deadlineMs: 60_000 });
    delivery.add([alert('a')]);
    await eventually(() => receiver.posts.length === 2);
    delivery.add([alert('b')]);
    await eventually(() => receiver.posts.length === 3);
    const [first, again, other] = receiver.posts.map(({ headers }) => headers['hopline-delivery']);
    assert.match(String(first), /^[0-9a-f]{32}$/);
    assert.equal(again, first);
    assert.notEqual(other, first);
    await delivery.end(0);
  });

  it("fit into Slack's text, however many they are", () => {
    const alerts = Array.from({ length: 500 }, (_, index) => alert(`a${index}`, { help: 'x'.repeat(500) }));
    const { text } = slackBody('shop', alerts);
    assert.ok(text.length <= 40_000);
    const shown = text.match(/is long/g)?.length ?? 0;
    assert.ok(shown > 50);
    assert.ok(text.endsWith(`\n… and ${500 - shown} more`), text.slice(-50));
  });

  it('name a reason in words, also where nobody answers in time', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    try {
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const address = new HttpAddress(`http://127.0.0.1:${port}`);
      const late = AbortSignal.timeout(20);
      await assert.rejects(address.ask({}, late), /does not answer: TimeoutError$/);
    } finally {
      silent.close();
    }
  });

  it('carry a password that has no user', async () => {
    await new HttpAddress(`http://:t%40ken@127.0.0.1:${receiver.port}/`).ask(
      {},
      new AbortController().signal,
    );
    const expected = `Basic ${Buffer.from(':t@ken').toString('base64')}`;
    assert.equal(receiver.posts[0]?.headers.authorization, expected);
  });
});

describe('the end of alerts', () => {
  it('waits no longer than it promises for a look that takes its time', async () => {
    const clock = new ManualClock();
    const settings = alertsSettings({ log: silentLogger });
    const never = new Promise<never>(() => {});
    const parts = { source: 'shop', settings, clock, look: () => never, publish: () => never };
    const watch = new Alerts(parts);
    watch.start();
    let isOver = false;
    void watch.stop().then(() => {
      isOver = true;
    });
    await clock.advance(4_999);
    assert.equal(isOver, false);
    await clock.advance(1);
    assert.equal(isOver, true);
    assert.equal(clock.armed, 0);
  });
});
