import assert from 'node:assert/strict';
import type { Destination, OutgoingContent, OutgoingMessage } from '../../../src/message/message.js';
import { addressOf, isMandatory } from '../../../src/topology/address.js';
import { Names } from '../../../src/topology/names.js';

const names = new Names('shop', 'shared');

const message = (destination: Destination, wanted: Partial<OutgoingContent> = {}): OutgoingMessage => ({
  ...destination,
  ...{ body: Buffer.alloc(0), properties: {}, mustRoute: false, deadlineMs: 1_000 },
  ...wanted,
});

const order = { to: 'exchange', exchange: 'shop.events', routingKey: 'order.placed' } as const;

describe('the address of a message', () => {
  it('to an exchange at once is the message itself', () => {
    for (const plain of [message(order), message(order, { delayMs: 0 })])
      assert.equal(addressOf(names, plain), plain);
  });

  // What older builds have written and read: none of it may change.
  const table: [what: string, OutgoingMessage, exchange: string, routingKey: string][] = [
    [
      'to an exchange, delayed',
      message(order, { delayMs: 30_000 }),
      'shared.delay.1.in.s',
      '0.0.0.0.30.0.e.shop/events.order.placed',
    ],
    [
      'to an exchange, delayed, and to be taken by some queue',
      message(order, { delayMs: 90_000, mustRoute: true }),
      'shared.delay.1.in.m',
      '0.0.0.1.30.0.c.shop/events.order.placed',
    ],
    [
      'to a queue, delayed',
      message({ to: 'queue', queue: 'mailer.high' }, { delayMs: 100 }),
      'shared.delay.1.in.t',
      '0.0.0.0.0.1.q.mailer.high',
    ],
    [
      'to a queue at once',
      message({ to: 'queue', queue: 'mailer' }),
      'shared.delay.1.out',
      '0.0.0.0.0.0.q.mailer',
    ],
    ['to dead letters', message({ to: 'dead-letters', queue: 'mailer' }), 'shop.dead', 'mailer'],
    [
      'to the lost ones',
      message({ to: 'lost', queue: undefined }),
      'shared.delay.1.unrouted',
      '0.0.0.0.0.0.c.lost',
    ],
    [
      'to the lost ones of a queue',
      message({ to: 'lost', queue: 'mailer' }),
      'shared.delay.1.unrouted',
      '0.0.0.0.0.0.q.mailer',
    ],
  ];
  for (const [what, given, exchange, routingKey] of table)
    it(`${what} is ${routingKey} on ${exchange}, which must take it`, () => {
      const address = addressOf(names, given);
      assert.deepEqual({ ...address }, { exchange, routingKey });
      assert.ok(isMandatory(given, address));
    });

  it('must take a plain message only if its publisher says so', () => {
    for (const mustRoute of [true, false]) {
      const plain = message(order, { mustRoute });
      assert.equal(isMandatory(plain, addressOf(names, plain)), mustRoute);
    }
  });
});
