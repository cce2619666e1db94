import assert from 'node:assert/strict';
import { giveBack } from '../../../src/consume/give-back.js';
import { Pack, receivedItems } from '../../../src/consume/pack.js';
import { receive } from '../../../src/consume/received.js';
import { Names } from '../../../src/topology/names.js';
import { TestDelivery } from './fixtures.js';

function packOf(...payloads: unknown[]): { delivery: TestDelivery; pack: Pack } {
  const body = Buffer.from(payloads.map((payload) => JSON.stringify(payload)).join('\n'));
  const delivery = new TestDelivery({ body, properties: { messageId: 'id', appId: 'shop' } });
  return { delivery, pack: new Pack(delivery) };
}

const workOf = (delivery: TestDelivery, pack: Pack) =>
  receivedItems(receive(delivery, new Names('hopline', 'hopline')), pack).map((received) => ({
    received,
    match: undefined,
    lane: 0,
  }));

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

  it('goes back to its place while nothing of it has started', async () => {
    const { delivery, pack } = packOf(1, 2);
    await giveBack(workOf(delivery, pack), () => assert.fail('nothing of it is to travel alone'));
    assert.equal(delivery.settled, 'requeue');
  });

  it('stays when something of it has started: the rest travels on alone', async () => {
    const { delivery, pack } = packOf(1, 2, 3);
    const [, ...waiting] = workOf(delivery, pack);
    const alone = new TestDelivery();
    const settled: string[] = [];
    const other = {
      ...(waiting[0] as (typeof waiting)[0]),
      received: receive(alone, new Names('hopline', 'hopline')),
    };
    await giveBack([...waiting, other], async ({ received }, outcome) => {
      settled.push(`${received.messageId} ${outcome.kind}`);
    });
    assert.deepEqual(settled, ['id.1 requeue', 'id.2 requeue', 'undefined requeue']);
    assert.equal(delivery.settled, undefined);
  });
});
