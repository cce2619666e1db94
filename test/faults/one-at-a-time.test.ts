import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import type { Booking, Moment } from './one-at-a-time-process.js';
import { killWorkers, startProcess, type Worker } from './worker.js';

const WORKERS = 3;
const BOOKINGS = 300;

/** Number of the booking that holds its account. */
const HELD = -1;

/** Of ten accounts one has half of the bookings. */
const accountOf = (number: number): string => (number % 2 === 0 ? 'busy' : `account ${number % 10}`);

/** What the workers have told, and which of them holds its account until it is killed. */
interface Told {
  readonly moments: Moment[];
  holder?: Worker;
}

describe('handlers of which one runs at a time, in several processes', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  let redis: TestRedis;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    redis = await provideRedis();
  });
  after(() => redis?.stop());
  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });

  async function startWorker(prefix: string, told: Told): Promise<void> {
    const worker = startProcess('./one-at-a-time-process.js', node.url, prefix, redis.url);
    worker.process.on('message', (said: Moment | 'started') => {
      if (said === 'started') return;
      told.moments.push(said);
      if (said.number === HELD) told.holder ??= worker;
    });
    const [said] = await once(worker.process, 'message');
    assert.equal(said, 'started');
  }

  it('never run two of a key at once; a process that is killed leaves its key to the others, and nothing is stuck', async () => {
    const prefix = uniqueName('booking');
    const told: Told = { moments: [] };
    const { moments } = told;
    // All of them before the first booking: its attempt has two seconds.
    await Promise.all(Array.from({ length: WORKERS }, () => startWorker(prefix, told)));
    const { bus } = faultBus(node.url, { prefix });
    await bus.start();
    const book = (booking: Booking) => bus.publish('book', booking);
    await book({ account: 'busy', number: HELD, holds: true });
    await eventually(() => assert.equal(moments.length, 1));
    await Promise.all(
      Array.from({ length: BOOKINGS }, (_none, number) => book({ account: accountOf(number), number })),
    );
    const endedOf = (isBusy: boolean) =>
      moments.filter(({ what, account }) => what === 'ended' && (account === 'busy') === isBusy).length;
    await eventually(() => assert.equal(endedOf(false), BOOKINGS / 2), { timeout: 30_000 });
    assert.equal(endedOf(true), 0, 'all others have gone on beside it');
    const killedAt = performance.now();
    const { process: holder, end } = told.holder as Worker;
    holder.kill('SIGKILL');
    await end;
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
      assert.ok(before === undefined || before === HELD, `${number} began while ${before} of ${account} ran`);
      running.set(account, number);
    }
  }
}
