import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import type { Booking, Moment } from './one-at-a-time-process.js';

const WORKERS = 3;
const BOOKINGS = 300;

/** Of ten accounts one has half of the bookings. */
const accountOf = (number: number): string => (number % 2 === 0 ? 'busy' : `account ${number % 10}`);

describe('handlers of which one runs at a time, in several processes', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  let redis: TestRedis;
  const workers = new Set<ChildProcess>();

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    redis = await provideRedis();
  });
  after(() => redis?.stop());
  afterEach(async () => {
    await Promise.all([...workers].map(kill));
    await stopAll();
  });

  async function startWorker(prefix: string, moments: Moment[]): Promise<ChildProcess> {
    const file = fileURLToPath(new URL('./one-at-a-time-process.js', import.meta.url));
    const child = fork(file, [node.url, prefix, redis.url]);
    workers.add(child);
    child.on('message', (said: Moment | 'started') => {
      if (said !== 'started') moments.push(said);
    });
    const [said] = await once(child, 'message');
    assert.equal(said, 'started');
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    workers.delete(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('never run two of a key at once; a process that is killed leaves its key to the others, and nothing is stuck', async () => {
    const prefix = uniqueName('booking');
    const moments: Moment[] = [];
    const holder = await startWorker(prefix, moments);
    const { bus } = faultBus(node.url, { prefix });
    await bus.start();
    const book = (booking: Booking) => bus.publish('book', booking);
    await book({ account: 'busy', number: -1, holds: true });
    await eventually(() => assert.equal(moments.length, 1));
    await Promise.all(Array.from({ length: WORKERS - 1 }, () => startWorker(prefix, moments)));
    await Promise.all(
      Array.from({ length: BOOKINGS }, (_none, number) => book({ account: accountOf(number), number })),
    );
    const endedOf = (isBusy: boolean) =>
      moments.filter(({ what, account }) => what === 'ended' && (account === 'busy') === isBusy).length;
    await eventually(() => assert.equal(endedOf(false), BOOKINGS / 2), { timeout: 30_000 });
    assert.equal(endedOf(true), 0, 'all others have gone on beside it');
    const killedAt = performance.now();
    await kill(holder);
    await eventually(() => assert.equal(endedOf(true), BOOKINGS / 2 + 1), { timeout: 40_000 });
    const numbers = moments.filter(({ what }) => what === 'ended').map(({ number }) => number);
    assert.deepEqual(new Set(numbers).size, BOOKINGS + 1);
    assertOneAtATime(moments);
    // Its permit was taken for little more than the longest attempt: two seconds, and those of the stores' answers.
    assert.ok(performance.now() - killedAt < 30_000);
  });
});

/** The run that was cut off by the kill has no end: what follows it began after its permit had ended. */
function assertOneAtATime(moments: readonly Moment[]): void {
  const running = new Map<string, number>();
  for (const { account, number, what } of [...moments].sort((left, right) => left.at - right.at)) {
    const before = running.get(account);
    if (what === 'ended') running.delete(account);
    else {
      assert.ok(before === undefined || before === -1, `${number} began while ${before} of ${account} ran`);
      running.set(account, number);
    }
  }
}
