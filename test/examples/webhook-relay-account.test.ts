import assert from 'node:assert/strict';
import { Account } from '../../examples/webhook-relay/account.js';
import { takes } from '../../examples/webhook-relay/matching.js';
import type { Outcome } from '../../examples/webhook-relay/outcomes.js';
import { topicMatches } from '../../src/message/routing/topic.js';

const AT = 1_000;

function outcome(kind: Outcome['kind'], messageId: string, queue: string): Outcome {
  return { kind, messageId, queue, handler: 'Handler', at: AT + 5 };
}

describe("the webhook relay's account", () => {
  let account: Account;
  beforeEach(() => {
    account = new Account([
      { queue: 'all', patterns: ['github.#'] },
      { queue: 'issues', patterns: ['github.issues.*', 'github.*.opened'] },
    ]);
    for (const [id, key] of Object.entries({ a: 'github.issues.opened', b: 'github.push' })) {
      account.offer(id, key);
      account.published(id, AT);
      account.confirm(id);
    }
    account.record(outcome('handled', 'a', 'all'));
    account.record(outcome('handled', 'a', 'issues'));
  });

  it('balances when each message has ended in each queue that takes it, handled or dead-lettered', () => {
    account.record(outcome('dead-lettered', 'b', 'all'));
    const { balanced, published, expected, handled, deadLettered, missing, surplus } = account.balance();
    assert.deepEqual(
      { balanced, published, expected, handled, deadLettered, missing, surplus },
      { balanced: true, published: 2, expected: 3, handled: 2, deadLettered: 1, missing: [], surplus: [] },
    );
    assert.deepEqual(account.progress, { published: 2, expected: 3, settled: 3 });
  });

  it('counts what a queue should get once, however many of its patterns match', () => {
    assert.deepEqual(
      [...account.balance().expectedIn],
      [
        ['all', 2],
        ['issues', 1],
      ],
    );
  });

  it('does not balance when a message is lost, and names it and its queue', () => {
    const { balanced, missing } = account.balance();
    assert.equal(balanced, false);
    assert.deepEqual(missing, [{ messageId: 'b', key: 'github.push', queue: 'all' }]);
  });

  it('does not balance when a queue gives out a message that its patterns do not take', () => {
    account.record(outcome('handled', 'b', 'all'));
    account.record(outcome('handled', 'b', 'issues'));
    const { balanced, missing, surplus } = account.balance();
    assert.equal(balanced, false);
    assert.deepEqual(missing, []);
    assert.deepEqual(surplus, [{ messageId: 'b', key: 'github.push', queue: 'issues' }]);
  });

  it('does not let a surplus in one queue make up for a loss in another', () => {
    account.record(outcome('handled', 'b', 'issues'));
    const { balanced, missing, surplus } = account.balance();
    assert.deepEqual([balanced, missing.length, surplus.length], [false, 1, 1]);
    assert.deepEqual(account.progress, { published: 2, expected: 3, settled: 2 });
  });

  it('counts a second ending in the same queue as a duplicate, and nothing more', () => {
    account.record(outcome('handled', 'b', 'all'));
    assert.equal(account.record(outcome('handled', 'b', 'all')), undefined);
    assert.equal(account.record(outcome('dead-lettered', 'a', 'all')), undefined);
    const { balanced, duplicates, handled, deadLettered } = account.balance();
    assert.deepEqual([balanced, duplicates, handled, deadLettered], [true, 2, 3, 0]);
  });

  it('takes a retry for neither an end nor a duplicate', () => {
    account.record(outcome('retried', 'b', 'all'));
    assert.equal(account.progress.settled, 2);
    assert.equal(account.balance().duplicates, 0);
  });

  it('keeps apart what this run has not published', () => {
    account.record(outcome('handled', 'b', 'all'));
    account.record(outcome('handled', 'from yesterday', 'all'));
    const { balanced, foreign, handled } = account.balance();
    assert.deepEqual([balanced, foreign, handled], [true, 1, 3]);
  });

  it('does not balance when the intake never said that it published an event', () => {
    account.record(outcome('handled', 'b', 'all'));
    account.offer('c', 'order.placed');
    const { balanced, unconfirmed } = account.balance();
    assert.deepEqual([balanced, unconfirmed], [false, ['c']]);
  });

  it('forgets an event that the intake refused', () => {
    account.record(outcome('handled', 'b', 'all'));
    account.offer('c', 'github.push');
    account.withdraw('c');
    const { balanced, published, expected } = account.balance();
    assert.deepEqual([balanced, published, expected], [true, 2, 3]);
  });

  it('measures from publishing to the end, once a message and queue', () => {
    assert.equal(account.record(outcome('handled', 'b', 'all')), 5);
    assert.equal(account.record(outcome('handled', 'b', 'all')), undefined);
  });

  it('knows by itself which pattern takes which key, and agrees with the library', () => {
    const words = ['a', 'b', ''];
    const wild = [...words, '*', '#'];
    const pairs = (list: readonly string[]) => list.flatMap((one) => list.map((two) => `${one}.${two}`));
    const keys = [...words, ...pairs(words), ...pairs(words).flatMap((pair) => [`a.${pair}`, `b.${pair}`])];
    const patterns = [...wild, ...pairs(wild), ...pairs(wild).flatMap((pair) => [`#.${pair}`, `a.${pair}`])];
    for (const pattern of patterns)
      for (const key of keys)
        assert.equal(takes(pattern, key), topicMatches(pattern, key), `${pattern} ${key}`);
  });
});
