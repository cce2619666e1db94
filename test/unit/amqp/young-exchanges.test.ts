import assert from 'node:assert/strict';
import { YoungExchanges } from '../../../src/transport/amqp/topology/young-exchanges.js';

describe('an exchange', () => {
  it('is young for a minute when it had to be made again', () => {
    const { young, at } = bench();
    assert.equal(young.has(event('events')), false);
    young.remade('events');
    at(59_999);
    assert.ok(young.has(event('events')) && young.wasRemade('events'));
    assert.equal(young.has(event('others')), false);
    at(60_000);
    assert.equal(young.has(event('events')) || young.wasRemade('events'), false);
  });

  it('is young for 5 s after a connection was lost, whatever it is called', () => {
    const { young, at } = bench();
    young.reconnected();
    at(4_999);
    assert.ok(young.has(event('events')));
    assert.equal(young.wasRemade('events'), false);
    at(5_000);
    assert.equal(young.has(event('events')), false);
  });

  it('that is young has events kept that come back; a send only if it was made again', () => {
    const { young } = bench();
    const message = (mustRoute: boolean) => ({ ...event('events'), mustRoute });
    young.reconnected();
    assert.deepEqual([young.keeps(message(false)), young.keeps(message(true))], [true, false]);
    young.remade('events');
    assert.deepEqual([young.keeps(message(false)), young.keeps(message(true))], [true, true]);
  });

  it('gets no mandatory message that a plugin delays there: the broker gives such back though it has taken them', () => {
    const { young } = bench();
    young.reconnected();
    const delayed = event('events', { headers: { 'x-delay': 5_000 } });
    assert.deepEqual([young.has(delayed), young.keeps(delayed)], [false, false]);
  });
});

function event(exchange: string, properties = {}) {
  const address = { exchange, routingKey: 'order.placed' };
  const fields = { body: Buffer.alloc(0), properties, mustRoute: false, deadlineMs: 1_000 };
  return { message: { to: 'exchange', ...address, ...fields } as const, address, mustRoute: false };
}

function bench() {
  let now = 0;
  return { young: new YoungExchanges(() => now), at: (ms: number) => (now = ms) };
}
