import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidMessageError } from '../../../src/errors.js';
import { MAX_DELAY_MS } from '../../../src/message/delay-range.js';
import {
  delayAddress,
  delayedDestination,
  delayHops,
  delayLevels,
  delayOfKey,
  delayWords,
  duePatterns,
  parseDue,
  planDelays,
  retryPattern,
} from '../../../src/topology/delays.js';
import { Names } from '../../../src/topology/names.js';
import { referenceMatches } from '../reference-topic.js';
import { DelayWalker } from './delay-walk.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The thirty TTLs that the design names. */
const LEVELS_MS = [
  ...[100, 200, 400, 800],
  ...[1, 2, 4, 8, 16, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 4, 8, 16, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 4, 8, 12].map((hours) => hours * HOUR),
  ...[1, 2, 4, 8, 16, 32, 64, 128, 256].map((days) => days * DAY),
];

const names = new Names();
const plan = planDelays(names);
const walker = new DelayWalker(plan);

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const roundedUp = (delayMs: number) => Math.max(100, Math.ceil(delayMs / 100) * 100);

/** Delays of whole 100 ms up to 400 days: evenly spread, and short ones for the sake of the small units. */
const wholeDelay = fc.oneof(
  fc.integer({ min: 1, max: MAX_DELAY_MS / 100 }),
  fc.integer({ min: 1, max: DAY / 100 }),
  fc.integer({ min: 1, max: MINUTE / 100 }),
);

function assertCarried(delayMs: number): void {
  const hops = delayHops(delayMs);
  assert.equal(sum(hops), roundedUp(delayMs), `the hops of ${delayMs} ms`);
  const { exchange, routingKey } = delayAddress(names, delayMs, 'q', 'a.queue');
  assert.deepEqual(walker.walk(exchange, routingKey), { end: names.delayOut, ttlsMs: hops });
}

describe('the delays', () => {
  it('carry every value of every unit for exactly its time', () => {
    const units: [number, number][] = [
      [100, 10],
      [SECOND, 60],
      [MINUTE, 60],
      [HOUR, 24],
      [DAY, 16],
      [16 * DAY, 25],
    ];
    for (const [unitMs, values] of units) {
      for (let value = 1; value < values; value += 1) {
        assertCarried(value * unitMs);
        // With something in the smallest unit behind it, and so with units of 0 between.
        assertCarried(value * unitMs + 700);
      }
    }
  });

  it('carry every tenth of a second of the first ten minutes', () => {
    for (let delayMs = 100; delayMs <= 10 * MINUTE; delayMs += 100) {
      assert.equal(sum(delayHops(delayMs)), delayMs);
    }
  });

  it('carry any delay of whole 100 ms up to 400 days, in hops that sum to it', () => {
    fc.assert(
      fc.property(wholeDelay, (tenths) => assertCarried(tenths * 100)),
      { numRuns: 2_000 },
    );
    assertCarried(MAX_DELAY_MS);
  });

  it('round any other delay up to 100 ms: never early', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: MAX_DELAY_MS, noNaN: true }), (delayMs) => {
        assertCarried(delayMs);
        assert.ok(sum(delayHops(delayMs)) >= delayMs);
        assert.ok(sum(delayHops(delayMs)) < delayMs + 100 || delayMs < 100);
      }),
      { numRuns: 1_000 },
    );
    for (const delayMs of [0, 1, 99.9, 100]) assert.deepEqual(delayHops(delayMs), [100]);
    for (const delayMs of [100.001, 101, 200]) assert.deepEqual(delayHops(delayMs), [200]);
  });

  it('of one level are due within a time that some of them need, and none is longer in it', () => {
    const longest = new Map(delayLevels(names).map(({ queue, longestMs }) => [queue, longestMs]));
    const ttls = new Map(plan.queues.map((queue) => [queue.name, queue.arguments['x-message-ttl']]));
    const byTtl = new Map([...longest].map(([queue, longestMs]) => [ttls.get(queue), longestMs]));
    assert.deepEqual(
      [...byTtl.keys()].toSorted((left, right) => Number(left) - Number(right)),
      LEVELS_MS,
    );
    for (const [ttl, longestMs] of byTtl) {
      assert.equal(delayHops(longestMs)[0], ttl);
      if (longestMs < MAX_DELAY_MS) assert.notEqual(delayHops(longestMs + 100)[0], ttl);
    }
    fc.assert(
      fc.property(wholeDelay, (tenths) => {
        const hops = delayHops(tenths * 100);
        for (const [index, ttl] of hops.entries())
          assert.ok(sum(hops.slice(index)) <= (byTtl.get(ttl) ?? 0), `${tenths} ${ttl}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of one level are one hop, and no delay takes more hops than its units have coins', () => {
    assert.equal(LEVELS_MS.length, 30);
    for (const level of LEVELS_MS) {
      assert.deepEqual(delayHops(level), [level]);
      assertCarried(level);
    }
    fc.assert(
      fc.property(wholeDelay, (tenths) => {
        const hops = delayHops(tenths * 100);
        assert.deepEqual(
          hops,
          [...new Set(hops)].sort((a, b) => b - a),
          'each level once, the longest first',
        );
        assert.ok(hops.length <= 25);
      }),
    );
  });

  it('are carried whole levels at a time for the default backoff and the documented examples', () => {
    for (const delayMs of [1, 4, 16, 30, 60, 120, 240].map((seconds) => seconds * SECOND)) {
      assert.equal(delayHops(delayMs).length, 1, `${delayMs} ms`);
    }
  });

  it('write the delay as one word a unit', () => {
    const table: [number, number[]][] = [
      [30 * SECOND, [0, 0, 0, 0, 30, 0]],
      [100, [0, 0, 0, 0, 0, 1]],
      [26 * HOUR + 61 * SECOND + 650, [0, 1, 2, 1, 1, 7]],
      [MINUTE - 1, [0, 0, 0, 1, 0, 0]],
      [MAX_DELAY_MS, [25, 0, 0, 0, 0, 0]],
    ];
    for (const [delayMs, words] of table) assert.deepEqual(delayWords(delayMs), words);
  });

  it('enter at the largest unit that is not 0', () => {
    assert.deepEqual(delayAddress(names, 30_000, 'q', 'mailer.SendWelcomeEmail'), {
      exchange: 'hopline.delay.1.in.s',
      routingKey: '0.0.0.0.30.0.q.mailer.SendWelcomeEmail',
    });
    const entries = [16 * DAY, DAY, HOUR, MINUTE, SECOND, 100].map(
      (delayMs) => delayAddress(names, delayMs, 'q', 'a').exchange,
    );
    assert.deepEqual(
      entries,
      [...'Ddhmst'].map((letter) => `hopline.delay.1.in.${letter}`),
    );
  });

  it('refuse a delay over 400 days, and what is no number', () => {
    delayAddress(names, MAX_DELAY_MS, 'q', 'a');
    for (const delayMs of [MAX_DELAY_MS + 1, Number.POSITIVE_INFINITY, Number.NaN]) {
      assert.throws(
        () => delayAddress(names, delayMs, 'q', 'a'),
        (error) =>
          error instanceof InvalidMessageError && /longer than the maximum, 400 days/.test(error.message),
      );
    }
  });

  it('refuse a key that gets too long with the delay before it, counted in bytes', () => {
    const room = 255 - Buffer.byteLength('0.0.0.0.30.0.q.');
    delayAddress(names, 30_000, 'q', 'k'.repeat(room));
    for (const destination of ['k'.repeat(room + 1), 'ö'.repeat(room / 2 + 1)]) {
      assert.throws(
        () => delayAddress(names, 30_000, 'q', destination),
        (error) =>
          error instanceof InvalidMessageError && /bytes long, the protocol allows 255/.test(error.message),
      );
    }
  });
});

describe('what the delays lead to', () => {
  const keyOf = (kind: 'q' | 'e' | 'c', destination: string, delayMs = 30_000) =>
    delayAddress(names, delayMs, kind, destination).routingKey;

  it('say in their key how long it waits', () => {
    fc.assert(
      fc.property(wholeDelay, (tenths) => {
        const { routingKey } = delayAddress(new Names(), tenths * 100, 'q', 'a.queue.1.2');
        assert.equal(delayOfKey(routingKey), tenths * 100);
      }),
    );
  });

  it('is for a retry exactly the queue that it names', () => {
    const pattern = retryPattern('a');
    assert.equal(referenceMatches(pattern, keyOf('q', 'a')), true);
    assert.equal(referenceMatches(pattern, keyOf('q', 'a', MAX_DELAY_MS)), true);
    for (const other of ['x.a', 'a.x', 'q.a', 'a.a', 'b']) {
      assert.equal(referenceMatches(pattern, keyOf('q', other)), false, other);
    }
    assert.equal(referenceMatches(pattern, keyOf('e', 'a')), false);
    assert.equal(referenceMatches(retryPattern('x.a'), keyOf('q', 'a')), false);
  });

  it("is for a delayed publish or send whoever's pattern matches on that exchange", () => {
    const patterns = duePatterns('hopline.events', 'order.#');
    const due = (kind: 'q' | 'e' | 'c', exchange: string, key: string) =>
      patterns.filter((pattern) => referenceMatches(pattern, keyOf(kind, delayedDestination(exchange, key))))
        .length;
    assert.equal(due('e', 'hopline.events', 'order'), 1);
    assert.equal(due('c', 'hopline.events', 'order.placed.eu'), 1);
    assert.equal(due('e', 'hopline.events', 'invoice'), 0);
    assert.equal(due('e', 'hopline', 'events.order'), 0, 'an exchange is one word, whatever dots it has');
    assert.equal(due('e', 'other.events', 'order'), 0);
    assert.equal(due('q', 'hopline.events', 'order'), 0);
  });

  it('can be read back from the key that arrives', () => {
    assert.deepEqual(parseDue(keyOf('q', 'mailer.SendWelcomeEmail')), {
      kind: 'q',
      destination: 'mailer.SendWelcomeEmail',
    });
    assert.deepEqual(parseDue(keyOf('e', 'a/b.order.placed', MAX_DELAY_MS)), {
      kind: 'e',
      destination: 'a/b.order.placed',
    });
    for (const key of [
      'order.placed',
      '0.0.0.0.30.0.x.a',
      '0.0.0.30.0.q.a',
      '0.0.0.0.30.0.q.',
      '',
      'a.0.0.0.0.0.q.b',
    ]) {
      assert.equal(parseDue(key), undefined, key);
    }
  });
});

describe('the plan of the delays', () => {
  it('is thirty quorum queues with the TTLs of the design, at-least-once onwards', () => {
    const levels = plan.queues.filter(({ name }) => name.startsWith(`${names.delay}.`));
    assert.deepEqual(
      levels.map((level) => level.arguments['x-message-ttl'] ?? 0).sort((a, b) => a - b),
      LEVELS_MS,
    );
    for (const { arguments: args } of levels) {
      const { 'x-message-ttl': _, 'x-dead-letter-exchange': __, ...rest } = args;
      assert.deepEqual(rest, {
        'x-queue-type': 'quorum',
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
        'x-queue-leader-locator': 'balanced',
      });
    }
  });

  it('gives the last exchange an alternate one that routes every kind, so that no level stalls on a missing queue', () => {
    const last = plan.exchanges.find(({ name }) => name === names.delayOut);
    assert.equal(last?.alternateExchange, names.delayUnrouted);
    const destinations = (kind: 'q' | 'e' | 'c') =>
      plan.bindings
        .filter(({ source }) => source === names.delayUnrouted)
        .filter(({ pattern }) =>
          referenceMatches(pattern, delayAddress(names, MAX_DELAY_MS, kind, 'a.b').routingKey),
        )
        .map(({ destination }) => destination);
    assert.deepEqual(destinations('q'), ['hopline.delay.lost']);
    assert.deepEqual(destinations('c'), ['hopline.delay.lost']);
    assert.deepEqual(destinations('e'), ['hopline.delay.sink']);
  });

  it('names nothing twice, and binds only what it declares', () => {
    const unique = (all: readonly string[]) => assert.equal(new Set(all).size, all.length);
    const exchanges = plan.exchanges.map(({ name }) => name);
    const queues = plan.queues.map(({ name }) => name);
    unique(exchanges);
    unique(queues);
    unique(plan.bindings.map((binding) => JSON.stringify(binding)));
    for (const { source, destination, destinationType } of plan.bindings) {
      assert.ok(exchanges.includes(source), source);
      assert.ok((destinationType === 'queue' ? queues : exchanges).includes(destination), destination);
    }
    for (const { arguments: args } of plan.queues) {
      const target = args['x-dead-letter-exchange'];
      if (target !== undefined) assert.ok(exchanges.includes(target), target);
    }
  });

  it('is told to be complete by an exchange with the version of the layout, which is none of the others', () => {
    assert.deepEqual(plan.marker, { name: 'hopline.delay.1.ready', type: 'fanout' });
    assert.equal(
      plan.exchanges.some(({ name }) => name === plan.marker.name),
      false,
    );
  });

  it('lies under the prefix of the delays, not under that of the bus', () => {
    const { exchanges, queues } = planDelays(new Names('shop', 'shared'));
    for (const { name } of [...exchanges, ...queues]) assert.match(name, /^shared\.delay\./);
  });
});
