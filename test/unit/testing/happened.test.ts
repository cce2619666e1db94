import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineMessage } from '../../../src/index.js';
import { type TestKit, testKit } from '../../../src/testing/index.js';

const Welcome = defineMessage('email.welcome', z.object({ to: z.string() }));

describe('the assertions of the test kit', () => {
  let kit: TestKit;
  beforeEach(async () => {
    kit = await testKit({
      retry: { tries: 2, backoff: '30s' },
      configure: (bus) =>
        bus.handle(Welcome, function welcome({ to }) {
          if (to === 'nobody') throw new Error('no such address');
        }),
    });
    await kit.publish(Welcome, { to: 'ada' });
    await kit.publish('email.welcome', { to: 'nobody' });
    await kit.settled();
  });
  afterEach(() => kit.stop());

  const failureOf = (assertion: () => unknown): assert.AssertionError => {
    try {
      assertion();
    } catch (error) {
      assert.ok(error instanceof assert.AssertionError);
      return error;
    }
    throw new Error('the assertion passed');
  };

  it('give what happened', () => {
    assert.deepEqual(kit.handled('welcome').assertOnce().payload, { to: 'ada' });
    assert.equal(kit.published(Welcome).assertTimes(2).length, 2);
    assert.equal(kit.retried().assertSome()[0]?.attempt, 1);
    kit.deadLettered().assertNone();
    assert.equal(kit.published('email.*').last?.messageId, kit.retried().first?.messageId);
    assert.deepEqual([...kit.published()].length, 2);
  });

  it('say what was expected, what there was, and all that happened', () => {
    const error = failureOf(() => kit.handled('welcome').assertTimes(2));
    assert.deepEqual([error.actual, error.expected], [1, 2]);
    assert.equal(
      error.message,
      [
        "expected 'welcome' to be handled 2 times, but it was once",
        'what happened:',
        '  +0ms test published email.welcome {"to":"ada"}',
        '  +0ms welcome handled email.welcome {"to":"ada"}',
        '  +0ms test published email.welcome {"to":"nobody"}',
        '  +0ms welcome failed email.welcome {"to":"nobody"} (Error: no such address): again in 30s',
      ].join('\n'),
    );
  });

  it('tell what lies in the dead letters, and when', async () => {
    await kit.advance('1m');
    const error = failureOf(() => kit.deadLettered().assertNone());
    assert.match(error.message, /^expected a message never to be dead-lettered, but it was once\n/);
    assert.ok(
      error.message.endsWith(
        '\n  +30s welcome dead-lettered email.welcome {"to":"nobody"}, attempt 2 as exhausted (Error: no such address)',
      ),
      error.message,
    );
  });

  it('point to the line of the test, not into the kit', () => {
    const { stack = '' } = failureOf(() => kit.handled().assertNone());
    assert.match(stack.split('\n').find((line) => line.startsWith('    at ')) ?? '', /happened\.test/);
  });

  it('narrow by payload: these fields, at any depth', () => {
    const published = kit.published();
    assert.equal(published.with({ to: 'ada' }).count, 1);
    assert.equal(published.with({}).count, 2);
    assert.equal(published.with({ to: 'a' }).count, 0);
    assert.equal(published.with({ to: { deeper: 1 } }).count, 0);
    assert.equal(published.where(({ by }) => by === 'welcome').count, 0);
    assert.match(
      failureOf(() => published.with({ to: 'bob' }).assertSome()).message,
      /^expected a message with \{"to":"bob"\} to be published at least once, but it was never/,
    );
  });

  it('show the end of what happened if that was much', async () => {
    for (let n = 0; n < 50; n += 1) await kit.publish('email.other', n);
    const { message } = failureOf(() => kit.deadLettered().assertSome());
    assert.equal(message.split('\n').length, 2 + 1 + 40);
    assert.match(message, /… 14 more before/);
    assert.equal(kit.timeline().split('\n').length, 54);
  });
});
