import assert from 'node:assert/strict';
import { HeldPublishes } from '../../../src/transport/amqp/publish/held-publishes.js';
import { PendingPublish } from '../../../src/transport/amqp/publish/pending-publish.js';

describe('publishes to an exchange that is made again', () => {
  it('wait until it is whole, those to others do not', () => {
    const held = new HeldPublishes();
    const [events, others] = [pending('events'), pending('others')];
    assert.equal(held.takes(events), false);
    held.hold(['events', 'dead']);
    assert.deepEqual([held.takes(events), held.takes(others)], [true, false]);
    assert.deepEqual(held.release(['events', 'dead']), [events]);
    assert.equal(held.takes(events), false);
  });

  it('wait until all are done that make it again', () => {
    const held = new HeldPublishes();
    const events = pending('events');
    held.hold(['events']);
    held.hold(['events']);
    held.takes(events);
    assert.deepEqual(held.release(['events']), []);
    assert.deepEqual(held.release(['events']), [events]);
  });

  it('that have ended meanwhile are not written any more', () => {
    const held = new HeldPublishes();
    const events = pending('events');
    held.hold(['events']);
    held.takes(events);
    events.ended = true;
    assert.deepEqual(held.release(['events']), []);
  });
});

function pending(exchange: string): PendingPublish {
  const address = { exchange, routingKey: 'a' };
  const fields = { body: Buffer.alloc(0), properties: {}, mustRoute: false, deadlineMs: 1_000 };
  const nothing = () => {};
  return new PendingPublish({ to: 'exchange', ...address, ...fields }, address, 1_000, nothing, nothing);
}
