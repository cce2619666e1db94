import assert from 'node:assert/strict';
import { isBrokerHeader, isOwnHeader } from '../../src/message/headers.js';
import type { Failures } from '../../src/operate.js';
import { PropertiesReader } from '../../src/transport/amqp/wire/properties-reader.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { TypedClient } from '../support/typed-client.js';
import { counted, type WildHeader, type WildMessage, wildTable } from '../support/wild-message.js';
import type { Theme } from './theme.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (bytes: string | Buffer) => Buffer.concat([Buffer.from('S'), counted(Buffer.from(bytes))]);
const header = (name: string | Buffer, value: Buffer): WildHeader => ({ name: Buffer.from(name), value });
const list = (...items: readonly Buffer[]) =>
  Buffer.concat([Buffer.from('A'), counted(Buffer.concat(items))]);

/** All that RabbitMQ takes; each would be another if it were written by its value. */
const HEADERS: readonly WildHeader[] = [
  header('int8', hex('62 05')),
  header('uint8', hex('42 c8')),
  header('int16', hex('73 0005')),
  header('uint16', hex('75 ffff')),
  header('int32', hex('49 00000005')),
  header('uint32', hex('69 ffffffff')),
  header('int64', hex('6c 0000000000000005')),
  header('int64 that no number holds', hex('6c 0020000000000001')),
  header('the largest int64', hex('6c 7fffffffffffffff')),
  header('the other int64', hex('4c 0000000000000005')),
  header('float', hex('66 3fc00000')),
  header('double', hex('64 4008000000000000')),
  header('decimal', hex('44 02 ffffff83')),
  header('time', hex('54 000000006553f100')),
  header('true', hex('74 01')),
  header('nothing', hex('56')),
  header('bytes', hex('78 00000003 00ff80')),
  header('text', text('Zoë')),
  header('text that is no UTF-8', text(hex('fffe00c3'))),
  header(hex('6eff'), hex('49 00000007')),
  header('list', list(hex('49 00000005'), text(hex('ff')), list(), hex('66 3f000000'))),
  header(
    'table',
    Buffer.concat([
      Buffer.from('F'),
      wildTable([header('inner', hex('6c 0000000000000001')), header('text', text(hex('c0')))]),
    ]),
  ),
  header('twice', hex('49 00000001')),
  header('twice', hex('6c 0000000000000002')),
];

const message = (number: number): WildMessage => ({
  headers: HEADERS,
  body: Buffer.from('{"id":1}'),
  values: {
    contentType: Buffer.from('application/json'),
    correlationId: hex('ffee0102030405060708090a0b0c0dfe'),
    messageId: Buffer.concat([hex('fe0102030405060708090a0b0c0dff'), Buffer.from([number])]),
    replyTo: Buffer.from('answers'),
    priority: Buffer.from([3]),
    timestamp: hex('0000000065 53f100'),
    type: hex('74ff'),
    appId: Buffer.from('Büro'),
    clusterId: Buffer.from('old'),
  },
});

const reader = new PropertiesReader();

/** What its publisher has said of a message, octet by octet. */
function published(content: Buffer): object {
  const { encoded } = reader.read(content, 0, content.length) ?? assert.fail('it can be read');
  const entries = encoded?.headers ?? [];
  const headers = entries.filter(({ name }) => !isOwnHeader(name) && !isBrokerHeader(name));
  return {
    // A broker that adds a header of its own sorts them by name, and writes the other int64 as it writes the one.
    headers: headers
      .map(({ bytes }) => bytes.toString('latin1').replace(/^(.the other int64)L/s, '$1l'))
      .toSorted(),
    ...Object.fromEntries(
      Object.keys(message(1).values).map((name) => [name, encoded?.value(name as 'type')?.toString('hex')]),
    ),
  };
}

async function taken(fx: BusFixture, client: TypedClient, queue: string): Promise<Buffer> {
  let found: { header: Buffer; body: Buffer } | undefined;
  await fx.eventually(async () => {
    found = await client.take(queue);
    return found !== undefined;
  });
  assert.equal(found?.body.toString(), '{"id":1}');
  return found?.header ?? assert.fail('there was none');
}

/** A bus whose handler has failed with so many of these messages, twice with each; it has been stopped. */
async function failed(fx: BusFixture, client: TypedClient, count: number): Promise<Failures> {
  const seen = fx.recorder(() => {
    throw new Error('no');
  });
  const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
  await bus.start();
  for (let number = 0; number < count; number += 1) await client.publish(fx.events, 'k', message(number));
  const desk = await fx.failures('mailer');
  await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, count));
  assert.deepEqual(seen.attempts.toSorted(), [...Array(count).fill(1), ...Array(count).fill(2)]);
  await fx.stop(bus);
  return desk;
}

async function withTyped(fx: BusFixture, body: (client: TypedClient) => Promise<void>): Promise<void> {
  const client = (await fx.harness.typedClient?.()) ?? assert.fail('it has wire types');
  try {
    await body(client);
  } finally {
    await client.close();
  }
}

/** What travels on is what was published: types, texts and all. */
export const unchanged: Theme = (test, { hasWireTypes }) => {
  if (hasWireTypes) {
    test('headers of every type and properties of any bytes travel byte for byte to the dead letters, back by either way, and out and in again', async (fx) => {
      await withTyped(fx, async (client) => {
        await fx.publisher();
        const probe = await client.probe(fx.events, 'k');
        const desk = await failed(fx, client, 4);
        const [work, dead] = [fx.name('mailer'), fx.name('mailer.dead')];
        const originals: object[] = [];
        for (let count = 0; count < 4; count += 1) originals.push(published(await taken(fx, client, probe)));
        const { headers: original } = originals[0] as { headers: string[] };
        // RabbitMQ 4.3 itself keeps one of two that have one name.
        assert.ok(original.length >= HEADERS.length - 1, `${original.length} headers`);
        assert.equal(new Set(originals.map((each) => (each as { messageId: string }).messageId)).size, 4);
        const isOriginal = (content: Buffer) => {
          const found = published(content) as { messageId: string };
          assert.deepEqual(
            found,
            originals.find((each) => (each as typeof found).messageId === found.messageId),
          );
        };

        isOriginal(await taken(fx, client, dead));
        const [toQueue, republished] = (await desk.list()).map(({ id }) => id);
        assert.equal((await desk.retry([toQueue ?? ''])).done, 1);
        isOriginal(await taken(fx, client, work));
        assert.equal((await desk.retry([republished ?? ''], { to: 'republish' })).done, 1);
        isOriginal(await taken(fx, client, work));
        isOriginal(await taken(fx, client, probe));
        const lines: string[] = [];
        for await (const line of desk.export()) lines.push(line);
        const { v, headers } = JSON.parse(lines[0] ?? '');
        assert.deepEqual([lines.length, v], [1, 2]);
        assert.equal(headers.length, original.length, 'pairs, since a name is no UTF-8');
        await desk.flush(work);
        assert.deepEqual(await desk.import(lines), { done: 1, failed: [] });
        isOriginal(await taken(fx, client, dead));
      });
    });

    test('a message in many frames travels byte for byte, too', async (fx) => {
      await withTyped(fx, async (client) => {
        const bus = fx.bus('mailer').handle('k', (_payload, context) => context.fail('no'));
        await bus.start();
        const body = Buffer.from(JSON.stringify('x'.repeat(300_000)));
        const large = { ...message(1), body };
        // As the broker hands it out, there is no other copy to compare with.
        const probe = await client.probe(fx.events, 'k');
        await client.publish(fx.events, 'k', large);
        const both: object[] = [];
        for (const queue of [probe, fx.name('mailer.dead')])
          await fx.eventually(async () => {
            const found = await client.take(queue);
            if (!found) return false;
            assert.ok(found.body.equals(body));
            both.push(published(found.header));
            return true;
          });
        assert.deepEqual(both[1], both[0]);
      });
    });
  } else {
    test('headers and properties travel as the values that they are', async (fx) => {
      const bus = fx.bus('mailer').handle('k', (_payload, context) => context.fail('no'));
      await bus.start();
      const headers = { list: [5, 'a', null], bytes: Buffer.from([0xff]), at: new Date(1_700_000_000_000) };
      const properties = { headers, clusterId: 'old', correlationId: 'c', messageId: 'm', priority: 3 };
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1', properties });
      const letter = await fx.deadLetter(fx.name('mailer'));
      const { headers: found, ...others } = letter.properties;
      const { headers: _, ...given } = properties;
      assert.deepEqual(others, { ...given, deliveryMode: 2 });
      for (const [name, value] of Object.entries(headers)) assert.deepEqual(found[name], value);
    });
  }

  test('what the broker would route by, and does not take as it is, is left out of what is republished, and named', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    const letter = {
      'hopline-queue': fx.name('mailer'),
      'hopline-reason': 'exhausted',
      'hopline-exchange': fx.events,
      'hopline-routing-key': 'k',
    };
    const publish = (messageId: string, headers: Record<string, string | string[]>) =>
      fx.foreign.publish({
        exchange: fx.events.replace('events', 'dead'),
        routingKey: fx.name('mailer'),
        body: JSON.stringify(messageId),
        properties: { messageId, contentType: 'application/json', headers: { ...letter, ...headers } },
      });
    // As one of MQTT has been set aside.
    await publish('text', { 'hopline-cc': 'elsewhere', 'hopline-bcc': 'hidden', mine: 'yes' });
    await publish('list', { 'hopline-cc': ['elsewhere'] });
    const desk = await fx.failures('mailer');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    assert.deepEqual(
      { ...(await desk.get('text'))[0]?.headers },
      { CC: 'elsewhere', BCC: 'hidden', mine: 'yes' },
    );
    assert.deepEqual(await desk.retry({}, { to: 'republish' }), { done: 2, failed: [], gone: 0, left: 0 });
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), ['list', 'text']));
    const contextOf = (payload: string) => seen.calls.find((call) => call.payload === payload)?.context;
    const { headers } = contextOf('text')?.headers
      ? { headers: contextOf('text')?.headers ?? {} }
      : assert.fail();
    assert.deepEqual([headers.mine, headers.CC, headers.BCC], ['yes', undefined, undefined]);
    assert.deepEqual(contextOf('list')?.headers.CC, ['elsewhere']);
  });
};
