import assert from 'node:assert/strict';
import { returnUnstarted } from '../../../src/consume/intake/return-unstarted.js';
import { isPack, Pack, receivedItems } from '../../../src/features/pack/pack.js';
import { PACK_CONTENT_TYPE } from '../../../src/message/wire/pack.js';
import { type Received, receive } from '../../../src/pipeline/received.js';
import { Work } from '../../../src/pipeline/work.js';
import { Names } from '../../../src/topology/names.js';
import { TestDelivery } from './fixtures.js';

function packOf(...payloads: unknown[]): { delivery: TestDelivery; pack: Pack } {
  const body = Buffer.from(payloads.map((payload) => JSON.stringify(payload)).join('\n'));
  const delivery = new TestDelivery({ body, properties: { messageId: 'id', appId: 'shop' } });
  return { delivery, pack: new Pack(delivery) };
}

const workOf = (delivery: TestDelivery, pack: Pack) =>
  receivedItems(receive(delivery, new Names('hopline', 'hopline')), pack).map(
    (received) => new Work(received, undefined, 0),
  );

describe('a delivered pack', () => {
  it('is acked with the last of what is in it, in any order, and once', () => {
    const { delivery, pack } = packOf(1, 2, 3);
    const [first, second, third] = pack.items;
    for (const item of [third, first]) {
      assert.equal(item?.ack(), true);
      assert.equal(item?.ack(), false);
      assert.equal(delivery.settled, undefined);
    }
    assert.equal(second?.ack(), true);
    assert.equal(delivery.settled, 'ack');
  });

  it('settles nothing when its channel is gone', () => {
    const { delivery, pack } = packOf(1);
    delivery.lost = true;
    assert.equal(pack.items[0]?.lost, true);
    assert.equal(pack.items[0]?.ack(), false);
    assert.equal(delivery.settled, undefined);
  });

  it('gives each of its messages the properties of all, an id of its own, and JSON as content type', () => {
    const { pack } = packOf('a', 'b');
    const { headers, ...properties } = pack.items[1]?.properties ?? { headers: {} };
    assert.deepEqual(properties, { messageId: 'id.1', appId: 'shop', contentType: 'application/json' });
    assert.deepEqual({ ...headers }, {});
    assert.equal(pack.items[1]?.body.toString(), '"b"');
  });

  it('goes back as a whole while nothing of it has started', async () => {
    const { delivery, pack } = packOf(1, 2);
    const settled: Received[] = [];
    await returnUnstarted(workOf(delivery, pack), async ({ received }) => void settled.push(received));
    assert.deepEqual(
      settled.map((received) => [received.delivery, received.messageId]),
      [[delivery, 'id']],
    );
  });

  it('goes back under an id that AMQP can carry', async () => {
    const delivery = new TestDelivery({
      body: Buffer.from('1'),
      properties: { messageId: '\u{fffd}'.repeat(200) },
    });
    const settled: Received[] = [];
    await returnUnstarted(
      workOf(delivery, new Pack(delivery)),
      async ({ received }) => void settled.push(received),
    );
    assert.match(settled[0]?.messageId ?? '', /^[0-9a-f-]{36}$/);
  });

  it('is not taken apart when its properties can not all be read: its messages would be without them', () => {
    const properties = { contentType: PACK_CONTENT_TYPE };
    assert.equal(isPack(new TestDelivery({ properties })), true);
    assert.equal(isPack(new TestDelivery({ properties, unreadable: "header 'x'" })), false);
  });

  it('stays when something of it has started: the rest travels on alone', async () => {
    const { delivery, pack } = packOf(1, 2, 3);
    const [, ...waiting] = workOf(delivery, pack);
    const alone = new TestDelivery();
    const settled: string[] = [];
    const other = new Work(receive(alone, new Names('hopline', 'hopline')), undefined, 0);
    await returnUnstarted([...waiting, other], async ({ received }, outcome) => {
      settled.push(`${received.messageId} ${outcome.kind}`);
    });
    assert.deepEqual(settled, ['id.1 return', 'id.2 return', 'undefined return']);
    assert.equal(delivery.settled, undefined);
  });
});
