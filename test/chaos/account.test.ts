import assert from 'node:assert/strict';
import { balance, isClean } from './account.js';
import type { Entry } from './journal.js';
import { Choices } from './random.js';
import { brokerSchedule, clientSchedule } from './schedule.js';
import { AUDIT_QUEUE, CRASH_QUEUE, type Kind, type QueueName, WORK_QUEUE } from './traffic.js';

const published = (id: string, kind: Kind): Entry[] => [
  { what: 'attempted', id, kind },
  { what: 'confirmed', id },
];
const handled = (queue: QueueName, id: string): Entry => ({
  what: 'handled',
  id,
  queue,
  attempt: 1,
});
const dead = (id: string, queue: QueueName = WORK_QUEUE): Entry => ({
  what: 'dead-lettered',
  id,
  queue,
  reason: 'exhausted',
});
const both = (id: string) => [handled(WORK_QUEUE, id), handled(AUDIT_QUEUE, id)];

describe('the account of a chaos run', () => {
  it('is clean when each message has ended in each queue as its kind says', () => {
    const account = balance([
      ...published('p-1', 'plain'),
      ...both('p-1'),
      ...published('p-2', 'poison'),
      handled(AUDIT_QUEUE, 'p-2'),
      dead('p-2'),
      { what: 'ended', run: 'p' },
    ]);
    assert.deepEqual(account, {
      attempted: 2,
      confirmed: 2,
      refused: 0,
      handled: 3,
      deadLettered: 1,
      lost: 0,
      duplicated: 0,
      unexpected: 0,
      hanging: 0,
      wrong: [],
    });
    assert.ok(isClean(account));
  });

  it('finds what is lost in one of the queues only', () => {
    const account = balance([...published('p-1', 'plain'), handled(WORK_QUEUE, 'p-1')]);
    assert.equal(account.lost, 1);
    assert.deepEqual(account.wrong, [`lost: ${AUDIT_QUEUE}/p-1 (plain)`]);
    assert.ok(!isClean(account));
  });

  it('finds what the queue of crashes has lost, and what ended the wrong way there', () => {
    const account = balance([
      ...published('p-1', 'slow'),
      ...both('p-1'),
      ...published('p-2', 'crash'),
      ...both('p-2'),
      dead('p-2', CRASH_QUEUE),
      ...published('p-3', 'crash'),
      ...both('p-3'),
      handled(CRASH_QUEUE, 'p-3'),
    ]);
    assert.equal(account.lost, 1);
    assert.equal(account.unexpected, 1);
    assert.deepEqual(account.wrong, [
      `unexpected: ${CRASH_QUEUE}/p-3 was handled`,
      `lost: ${CRASH_QUEUE}/p-1 (slow)`,
    ]);
  });

  it('does not miss a message whose publish was never confirmed', () => {
    const account = balance([
      { what: 'attempted', id: 'p-1', kind: 'plain' },
      { what: 'refused', id: 'p-1', error: 'OUTCOME_UNKNOWN' },
    ]);
    assert.ok(isClean(account));
    assert.equal(account.refused, 1);
  });

  it('counts twice handled as duplicated, and lets it be', () => {
    const account = balance([...published('p-1', 'plain'), ...both('p-1'), handled(WORK_QUEUE, 'p-1')]);
    assert.equal(account.duplicated, 1);
    assert.ok(isClean(account));
  });

  it('finds what nobody published, what was dead-lettered for nothing, and poison that was handled', () => {
    const nobodys = balance([handled(WORK_QUEUE, 'p-1')]);
    const forNothing = balance([...published('p-1', 'flaky'), handled(AUDIT_QUEUE, 'p-1'), dead('p-1')]);
    const poison = balance([...published('p-1', 'poison'), ...both('p-1')]);
    for (const account of [nobodys, forNothing, poison]) {
      assert.equal(account.unexpected, 1);
      assert.ok(!isClean(account));
    }
  });

  it('finds publishes that never ended, but not those that were killed with their process', () => {
    const attempt: Entry = { what: 'attempted', id: 'p.1-1', kind: 'plain' };
    assert.equal(balance([attempt]).hanging, 0);
    assert.equal(balance([attempt, { what: 'ended', run: 'p.1' }]).hanging, 1);
    assert.equal(balance([attempt, { what: 'ended', run: 'p.2' }]).hanging, 0);
  });
});

describe('the schedule of a chaos run', () => {
  const first = <T>(steps: Generator<T>) => Array.from({ length: 50 }, () => steps.next().value);

  it('is the same for the same seed, and another for another', () => {
    for (const schedule of [brokerSchedule, clientSchedule]) {
      assert.deepEqual(first<unknown>(schedule(7)), first<unknown>(schedule(7)));
      assert.notDeepEqual(first<unknown>(schedule(7)), first<unknown>(schedule(8)));
    }
  });

  it('draws in proportion to the weights', () => {
    const choices = new Choices(1);
    const drawn = Array.from({ length: 4_000 }, () => choices.weighted({ seldom: 1, often: 3 }));
    const share = drawn.filter((name) => name === 'often').length / drawn.length;
    assert.ok(share > 0.7 && share < 0.8, String(share));
  });
});
