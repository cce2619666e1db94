import assert from 'node:assert/strict';
import { YoungExchanges } from '../../../src/transport/amqp/young-exchanges.js';

describe('an exchange', () => {
  it('is young for a minute when it had to be made again', () => {
    const { young, at } = bench();
    assert.equal(young.has('events'), false);
    young.remade('events');
    at(59_999);
    assert.ok(young.has('events') && young.wasRemade('events'));
    assert.equal(young.has('others'), false);
    at(60_000);
    assert.equal(young.has('events') || young.wasRemade('events'), false);
  });

  it('is young for 5 s after a connection was lost, whatever it is called', () => {
    const { young, at } = bench();
    young.reconnected();
    at(4_999);
    assert.ok(young.has('events'));
    assert.equal(young.wasRemade('events'), false);
    at(5_000);
    assert.equal(young.has('events'), false);
  });

  it('that is young has events kept that come back; a send only if it was made again', () => {
    const { young } = bench();
    const message = (mandatory: boolean) => ({ exchange: 'events', mandatory }) as never;
    young.reconnected();
    assert.deepEqual([young.keeps(message(false)), young.keeps(message(true))], [true, false]);
    young.remade('events');
    assert.deepEqual([young.keeps(message(false)), young.keeps(message(true))], [true, true]);
  });
});

function bench() {
  let now = 0;
  return { young: new YoungExchanges(() => now), at: (ms: number) => (now = ms) };
}
