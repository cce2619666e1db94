import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { messageShape, nameShape } from '../../../src/failures/groups/fingerprint/message-shape.js';
import { placeIn } from '../../../src/failures/groups/fingerprint/place.js';
import { type Failure, fingerprintOf } from '../../../src/failures/groups/fingerprint.js';

const failure = (error: string | undefined, more: Partial<Failure> = {}): Failure => ({
  error,
  ...{ stack: undefined, reason: 'exhausted', handler: 'Bill', routingKey: 'order.placed' },
  ...{ queue: 'shop.bill', deadQueue: 'shop.bill.dead' },
  ...more,
});
const idOf = (error: string | undefined, more?: Partial<Failure>) => fingerprintOf(failure(error, more)).id;

/** Messages that libraries write, and the shape that all of a line have. */
const TOGETHER: readonly (readonly [shape: string, ...messages: string[]])[] = [
  [
    'connect ECONNREFUSED ‹ip›:5432',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'connect ECONNREFUSED 10.1.2.33:5432',
    'connect ECONNREFUSED ::1:5432',
  ],
  [
    'read ECONNRESET ‹ip›:6379 - Local (‹ip›:‹number›)',
    'read ECONNRESET 10.0.0.7:6379 - Local (10.0.0.9:49152)',
    'read ECONNRESET 10.0.0.8:6379 - Local (10.0.0.9:61001)',
  ],
  [
    'duplicate key value violates unique constraint "users_email_key"',
    'duplicate key value violates unique constraint "users_email_key"',
  ],
  ['relation "orders" does not exist', 'relation "orders" does not exist'],
  [
    'invalid input syntax for type uuid: ‹text›',
    'invalid input syntax for type uuid: "abc"',
    'invalid input syntax for type uuid: "12-3"',
  ],
  [
    'Unexpected token ‹text› is not valid JSON',
    `Unexpected token 'h', "hello" is not valid JSON`,
    `Unexpected token '}', "{"a":1,}" is not valid JSON`,
    `Unexpected token ''', ..."x: 'y', z"... is not valid JSON`,
  ],
  [
    'Unexpected token ‹text› in JSON at position ‹number›',
    'Unexpected token h in JSON at position 0',
    'Unexpected token } in JSON at position 17',
  ],
  [
    "Cannot read properties of undefined (reading 'id')",
    "Cannot read properties of undefined (reading 'id')",
  ],
  ['Request failed with status code 503', 'Request failed with status code 503'],
  ['no user ‹email›', 'no user bob@example.org', 'no user alice.b+x@mail.example.co.uk'],
  ["no user 'O'Hara'".replace("'O'Hara'", '‹text›'), "no user 'O'Hara'", "no user 'Bob'"],
  [
    'order ‹id› was refused',
    `order ${randomUUID()} was refused`,
    `order ${randomUUID()} was refused`,
    'order 01ARZ3NDEKTSV4RRFFQ69G5FAV was refused',
    'order V1StGXR8_Z5jdHi6B-myT was refused',
    'order 507f1f77bcf86cd799439011 was refused',
  ],
  ['order-‹number› was refused', 'order-1 was refused', 'order-99812 was refused'],
  [
    'timed out after ‹duration›',
    'timed out after 30s',
    'timed out after 1.5s',
    'timed out after 900ms',
    'timed out after 1m 30s',
  ],
  ['timeout of ‹number› ms exceeded', 'timeout of 5000 ms exceeded', 'timeout of 250 ms exceeded'],
  ['missing lines ‹number› of ‹number›', 'missing lines 1, 2, 3 of 77', 'missing lines 4 of 9'],
  [
    'GET https://api.example.org/v1/charges/‹number›?‹text› failed',
    'GET https://api.example.org/v1/charges/123?key=s3cret failed',
    'GET https://api.example.org/v1/charges/9?key=other failed',
  ].map((text) => text.replace('/v1/', '/v‹number›/')) as [string, ...string[]],
  [
    'due at ‹date›',
    'due at 2026-01-05T09:00:00.000Z',
    'due at 2025-12-31',
    'due at 2026-01-05 09:00:01',
    'due at Mon Jan 05 2026 09:00:00 GMT+0000 (Coordinated Universal Time)',
  ],
  [
    'ENOENT: no such file or directory, open ‹text›',
    "ENOENT: no such file or directory, open '/tmp/a1/x.csv'",
    "ENOENT: no such file or directory, open '/data/in/2026.csv'",
  ],
  [
    'items.‹number›.price: invalid_type',
    JSON.stringify([{ code: 'invalid_type', path: ['items', 3, 'price'], message: 'x' }], null, 2),
    JSON.stringify([
      { code: 'invalid_type', path: ['items', 0, 'price'], message: 'x' },
      { code: 'invalid_type', path: ['items', 1, 'price'], message: 'x' },
    ]),
  ],
  [
    'E‹number› duplicate key error collection: shop.users index: email_‹number› dup key: { email: ‹text› }',
    'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "b@x.org" }',
  ],
  ['getaddrinfo ENOTFOUND db.internal', 'getaddrinfo ENOTFOUND db.internal'],
  ['{"status":500,"path":‹text›}', '{"status":500,"path":"/a/1"}', '{"status":500,"path":"/b"}'],
];

/** Messages whose failures are two. */
const APART: readonly (readonly [string, string])[] = [
  ['Error: connect ECONNREFUSED 127.0.0.1:5432', 'Error: connect ECONNREFUSED 127.0.0.1:6379'],
  ['AxiosError: Request failed with status code 404', 'AxiosError: Request failed with status code 503'],
  ['error: relation "orders" does not exist', 'error: relation "users" does not exist'],
  [
    "TypeError: Cannot read properties of undefined (reading 'id')",
    "TypeError: Cannot read properties of undefined (reading 'name')",
  ],
  [
    'error: duplicate key value violates unique constraint "users_email_key"',
    'error: duplicate key value violates unique constraint "users_name_key"',
  ],
  ['TypeError: no mailbox', 'RangeError: no mailbox'],
  ['threw {"status":404}', 'threw {"status":503}'],
  ['Error: getaddrinfo ENOTFOUND db.internal', 'Error: getaddrinfo ENOTFOUND cache.internal'],
];

describe('the shape of an error message', () => {
  for (const [shape, ...messages] of TOGETHER)
    it(`is the same for all like '${messages[0]?.slice(0, 60).replaceAll(/\s+/g, ' ')}'`, () => {
      for (const message of messages) assert.equal(messageShape(message), shape, message);
    });

  it('does not differ by the numbers and ids in it', () => {
    const values = fc.tuple(
      fc.nat(),
      fc.uuid(),
      fc.ipV4(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9000-01-01') }),
    );
    const written = ([number, id, ip, date]: [number, string, string, Date]) =>
      `row ${number} of ${id} at ${ip}, since ${date.toISOString()}`;
    fc.assert(
      fc.property(values, (any) => {
        assert.equal(messageShape(written(any)), 'row ‹number› of ‹id› at ‹ip›, since ‹date›');
      }),
    );
  });

  it('has an end, and the shape of a shape is itself', () => {
    const words = fc.array(
      fc.constantFrom('no', 'user', '"x"', "'", '"', '12', 'a1b2', '@', '::', '…', '\n', '‹text›'),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 2_000 }),
          words.map((all) => all.join(' ')),
        ),
        (text) => {
          const shape = messageShape(text);
          assert.ok(shape.length <= 240);
          assert.equal(messageShape(text), shape);
        },
      ),
    );
  });

  it('costs little for any message of a megabyte', () => {
    const hostile = [
      'a',
      '"',
      "'",
      '1',
      '::',
      '@',
      'a@',
      'a-',
      '1.',
      ' ',
      '`',
      'x://',
      '\\',
      '{"',
      '[{',
      'a1',
      '0x',
      '9:',
      "'a",
    ];
    const began = performance.now();
    for (const part of hostile) {
      messageShape(part.repeat(1_000_000 / part.length));
      nameShape(part.repeat(1_000_000 / part.length));
      placeIn(`    at ${part.repeat(1_000_000 / part.length)}`);
      placeIn(`    at f (${`/${part}`.repeat(500_000 / part.length)}`);
    }
    const eachMs = (performance.now() - began) / hostile.length;
    assert.ok(eachMs < 200, `${eachMs} ms each`);
  });
});

describe('the place of a failure', () => {
  const stack = (...frames: string[]) =>
    ['TypeError: no', ...frames.map((frame) => `    at ${frame}`)].join('\n');

  it('is the uppermost line in the code of the application, without line, machine and release', () => {
    const own = [
      'sendMail (/srv/releases/20260105/dist/mail/send.js:10:5)',
      'async sendMail (file:///home/bob/shop/dist/mail/send.js?v=7:99:1)',
      'new sendMail (C:\\shop\\dist\\mail\\send.js:1:1)',
    ];
    for (const frame of own) {
      const all = stack(
        'node:internal/process/task_queues:95:5',
        'Client.query (/srv/node_modules/pg/lib/client.js:1:2)',
        frame,
        'other (/srv/x.js:1:1)',
      );
      assert.equal(placeIn(all), 'sendMail (mail/send.js)', frame);
    }
    assert.equal(placeIn(stack('/srv/app/dist/chunk-AB12CD34.js:3:4')), 'dist/chunk-‹id›.js');
    assert.equal(placeIn(stack('Object.<anonymous> (/srv/app/index.js:3:4)')), 'app/index.js');
    assert.equal(
      placeIn(stack('Mailer.send [as handle] (/srv/app/mailer.js:3:4)')),
      'Mailer.send (app/mailer.js)',
    );
  });

  it('is not known where all of it is code of others', () => {
    assert.equal(placeIn(undefined), undefined);
    assert.equal(
      placeIn(
        stack(
          'parse (node:url:1:2)',
          'x (/a/node_modules/hopline/lib/bus.js:1:2)',
          'JSON.parse (<anonymous>)',
        ),
      ),
      undefined,
    );
  });

  it('is a method where the stack is of .NET or of Java', () => {
    const net =
      'System.InvalidOperationException: no\n   at System.Linq.Enumerable.First()\n   at Shop.Orders.Consumer.Consume(ConsumeContext`1 context) in /src/Consumer.cs:line 42';
    assert.equal(placeIn(net), 'Shop.Orders.Consumer.Consume');
    assert.equal(
      placeIn('java.lang.X: no\n\tat java.util.List.of(List.java:1)\n\tat com.shop.Bill.on(Bill.java:42)'),
      'com.shop.Bill.on',
    );
  });
});

describe('a fingerprint', () => {
  for (const [left, right] of APART)
    it(`tells '${left}' from '${right.slice(-30)}'`, () => assert.notEqual(idOf(left), idOf(right)));

  it('is told apart by place, handler and queue, and not by lane, reason or tries', () => {
    const at = (place: string) => `Error: no\n    at ${place} (/srv/a/b.js:1:1)`;
    const one = idOf('Error: no', { stack: at('f') });
    assert.equal(idOf('Error: no', { stack: at('f').replace('1:1', '9:9'), reason: 'unrecoverable' }), one);
    assert.equal(idOf('Error: no', { stack: at('f'), queue: 'shop.bill.high' }), one);
    assert.notEqual(idOf('Error: no', { stack: at('g') }), one);
    assert.notEqual(idOf('Error: no', { stack: at('f'), handler: 'Other' }), one);
    assert.notEqual(idOf('Error: no', { stack: at('f'), deadQueue: 'shop.mail.dead' }), one);
  });

  it('has the reason in place of a class where nothing was thrown, and the routing key without its ids in place of a handler', () => {
    const { kind, message, handler } = fingerprintOf(
      failure(undefined, { reason: 'expired', handler: undefined, routingKey: 'order.4711.placed' }),
    );
    assert.deepEqual([kind, message, handler], ['expired', '', 'order.‹number›.placed']);
    assert.equal(fingerprintOf(failure('no class here', { reason: 'rejected' })).kind, 'rejected');
  });

  it('names the queue of others by where the message failed, since one error queue has those of many', () => {
    assert.equal(fingerprintOf(failure('E: x', { deadQueue: 'error', queue: 'Sales' })).queue, 'Sales');
    assert.equal(fingerprintOf(failure('E: x', { deadQueue: 'error', queue: undefined })).queue, 'error');
  });

  it('is a promise: what it is made of keeps its id', () => {
    assert.equal(idOf('TypeError: no user 17', { stack: undefined }), '04c619479b8e');
  });
});
