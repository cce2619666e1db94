import assert from 'node:assert/strict';
import { MAX_DELAY_MS } from '../../../src/message/delay-range.js';
import { delayAddress } from '../../../src/topology/delays.js';
import {
  exchangeNameProblem,
  laneExchangeOf,
  laneNameProblem,
  laneQueueOf,
  MAX_QUEUE_NAME_BYTES,
  Names,
  queueNameProblem,
} from '../../../src/topology/names.js';

describe("Hopline's own names", () => {
  it('begin with the prefix; the delays with theirs, and the version of their layout', () => {
    const names = new Names('shop', 'shared');
    assert.deepEqual([names.events, names.dead, names.land], ['shop.events', 'shop.dead', 'shop.land']);
    assert.equal(names.delay, 'shared.delay.1');
    assert.equal(names.delayOut, 'shared.delay.1.out');
    assert.equal(names.delayReady, 'shared.delay.1.ready');
    assert.deepEqual([names.delayLost, names.delaySink], ['shared.delay.lost', 'shared.delay.sink']);
    assert.deepEqual([new Names().events, new Names().delay], ['hopline.events', 'hopline.delay.1']);
  });

  it('are told from the queues of handlers', () => {
    const names = new Names('shop', 'shared');
    const own = ['shop.failure-groups', 'shop.operations', 'shop.trash', 'shop.paused', 'shop.control.lock'];
    for (const queue of [...own, 'shop.failure-groups.lock', 'shop.operations.lock', 'shop.orders.dead'])
      assert.equal(names.isOwnQueue(queue), true, queue);
    for (const queue of ['shop.orders', 'other.operations', 'operations', 'shop.operations.late'])
      assert.equal(names.isOwnQueue(queue), false, queue);
  });

  it('tell a delivery that came through the delays, of whatever layout, from any other', () => {
    const names = new Names('shop', 'shared');
    for (const exchange of ['shared.delay.1.in.s', 'shared.delay.1.out', 'shared.delay.2.x']) {
      assert.equal(names.isDelayed(exchange), true, exchange);
    }
    for (const exchange of [
      'shop.events',
      'shared.delays',
      'shared.delay',
      'shop.delay.1.out',
      'x.shared.delay.1',
      '',
    ]) {
      assert.equal(names.isDelayed(exchange), false, exchange);
    }
  });
});

describe("a queue's name", () => {
  it('may be any text that fits into a routing key beside the longest delay', () => {
    for (const name of [
      'mailer',
      'mailer.SendWelcomeEmail',
      'größe',
      'a*b',
      'deadline',
      'dead.letters',
      'a..b',
    ]) {
      assert.equal(queueNameProblem(name), undefined, name);
    }
    const longest = 'q'.repeat(MAX_QUEUE_NAME_BYTES);
    assert.equal(queueNameProblem(longest), undefined);
    delayAddress(new Names(), MAX_DELAY_MS - 100, 'q', longest);
  });

  it('is refused with the reason when it can not work', () => {
    const table: [string, RegExp][] = [
      ['', /^the queue name is empty$/],
      ['q'.repeat(MAX_QUEUE_NAME_BYTES + 1), /is 232 bytes long, 231 are left beside the delay's words/],
      ['ö'.repeat(116), /is 232 bytes long/],
      ['amq.mine', /begins with amq\./],
      ['a.*.b', /holds the word \* or #/],
      ['#', /holds the word \* or #/],
      ['billing.dead', /ends in \.dead/],
      ['billing.land', /ends in \.land/],
      ['dead', /ends in \.dead/],
    ];
    for (const [name, reason] of table) assert.match(queueNameProblem(name) ?? 'no problem', reason, name);
  });
});

describe("an exchange's name", () => {
  it('may be any text of at most 127 bytes that can be one word of a delayed key', () => {
    for (const name of ['shop', 'shop.events', 'größe', 'amq.topic', 'x'.repeat(127)]) {
      assert.equal(exchangeNameProblem(name), undefined, name);
    }
  });

  it('is refused with the reason when it can not work', () => {
    const table: [string, RegExp][] = [
      ['', /^the default exchange has no bindings/],
      ['x'.repeat(128), /longer than 127 bytes/],
      ['ö'.repeat(64), /longer than 127 bytes/],
      ['shop/events', /holds a '\/', which stands for a dot/],
      ['shop.#', /holds a wildcard word/],
      ['*', /holds a wildcard word/],
    ];
    for (const [name, reason] of table) assert.match(exchangeNameProblem(name) ?? 'no problem', reason, name);
  });
});

describe("a lane's name", () => {
  it('is the last word of its queue and its exchange; default is the plain ones', () => {
    assert.deepEqual([laneQueueOf('q', 'high'), laneQueueOf('q', 'default')], ['q.high', 'q']);
    assert.deepEqual([laneExchangeOf('e', 'high'), laneExchangeOf('e', 'default')], ['e.lane.high', 'e']);
  });

  it('is one short word that names no queue of ours', () => {
    for (const name of ['high', 'default', 'lane', 'P1', 'very_low', 'eu-west-1', 'x'.repeat(32)])
      assert.equal(laneNameProblem(name), undefined, name);
    for (const name of ['', 'dead', 'land', 'a.b', '*', '#', 'a b', 'größe', 'a/b', 'x'.repeat(33)])
      assert.notEqual(laneNameProblem(name), undefined, name);
  });
});
