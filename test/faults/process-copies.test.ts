import assert from 'node:assert/strict';
import { rabbitmq, UnroutableError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { doubleAck, type FaultBus, faultBus, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startProcess, type Worker } from './worker.js';

/** Time by which what two processes say of one moment may differ on a busy machine. */
const SLACK_MS = 2_000;

describe('copies for each process', function () {
  this.timeout(240_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await stopAll();
    await killWorkers();
  });

  it('come once to each of six processes that live, or it says where it missed some, while processes and the broker go and come', async () => {
    const service = uniqueName('copies');
    const { bus, events } = faultBus(node.url, { service, prefix: service, publishDeadline: '90s' });
    await bus.start();
    const notes = new Notes(bus, events);
    const lives: Life[] = [];
    const begin = async () => {
      const life = new Life(startProcess('./copy-process.js', node.url, service), notes);
      lives.push(life);
      await eventually(() => assert.ok(life.isStarted), { timeout: 60_000 });
      life.from = notes.next;
      return life;
    };
    const [first, second] = await Promise.all(Array.from({ length: 6 }, begin));
    assert.ok(first && second);
    const publishing = notes.publishUntilStopped();

    await notes.more(100);
    first.worker.process.kill('SIGTERM');
    assert.equal(await first.worker.end, 0);
    await begin();
    second.worker.process.kill('SIGKILL');
    await second.worker.end;
    await begin();
    await notes.more(100);
    await node.ctl('close_all_connections', 'test');
    await notes.more(100);
    await node.kill();
    await node.restart();
    await notes.more(100);

    const living = lives.filter(({ isOver }) => !isOver);
    assert.equal(living.length, 6);
    // A connection that is found to be gone by its next heartbeat may still be told of.
    await eventually(() => assert.ok(living.every(({ gaps }) => gaps.length >= 2)), { timeout: 60_000 });
    const calm = notes.next;
    await notes.more(100);
    notes.stop();
    await publishing;
    for (const life of living)
      await eventually(() => assert.equal(life.missing(calm).length, 0), { timeout: 30_000 });

    for (const life of lives) life.assertAccounted();
    for (const life of living) {
      await eventually(() => assert.deepEqual(life.unretried, []), { timeout: 10_000 });
      assert.ok(life.firstAttempts.size > 200, `${life.firstAttempts.size} of ${notes.next}`);
    }
    const there = await node.queues();
    const own = there.filter(({ name }) => name.startsWith(`${service}.Note.`) && !name.endsWith('.dead'));
    assert.equal(own.length, 6, 'queues of processes');
  });

  it('go on in the process when their channel is lost, and are not delivered again', async () => {
    const { bus, log, seen, done, gate, gaps } = await holding();
    await bus.publish('note', 1);
    await bus.publish('note', 'held');
    await eventually(() => assert.deepEqual(seen, [1, 'held']));
    const before = Date.now();
    gate.resolve();
    await eventually(() => assert.equal(gaps.length, 1), { timeout: 20_000 });
    const [{ since, queue } = assert.fail()] = gaps;
    assert.ok(since.getTime() >= before - SLACK_MS && since.getTime() <= Date.now());
    await eventually(() => assert.equal(done.length, 2));
    assert.ok(done.every(({ lost }) => !lost));
    await bus.publish('note', 'later');
    await eventually(() => assert.deepEqual(seen, [1, 'held', 'later']));
    const there = await node.queues();
    assert.equal(
      there.filter(({ name }) => name.startsWith(`${queue}.`)).length,
      2,
      'one, and the dead letters',
    );
    assert.ok(log.some((line) => /messages since then are missed/.test(line)));
  });

  it('are missed, which is told, when somebody deletes the queue', async () => {
    const copies = faultBus(node.url);
    const { bus } = copies;
    const seen: unknown[] = [];
    const gaps: unknown[] = [];
    bus.handle('note', (payload) => void seen.push(payload), { each: 'process', name: 'Note' });
    bus.on('consumer.gap', (event) => gaps.push(event));
    await bus.start();
    const own = async () =>
      (await node.queues()).find(
        ({ name }) => /\.Note\.[\da-f-]{36}$/.test(name) && name.startsWith(bus.service),
      )?.name;
    const name = await own();
    assert.ok(name);
    await node.ctl('delete_queue', name);
    await eventually(() => assert.equal(gaps.length, 1), { timeout: 20_000 });
    await bus.send('note', 'a');
    await eventually(() => assert.deepEqual(seen, ['a']));
    assert.notEqual(await own(), name);
  });

  it('leave no queue behind when their process stops, though another bus goes on with its connection', async () => {
    const transport = rabbitmq({ url: node.url });
    const { bus } = faultBus(node.url, { transport });
    bus.handle('note', () => {}, { each: 'process', name: 'Note' });
    await bus.start();
    const publisher = faultBus(node.url, { transport, prefix: bus.describe().prefix }).bus;
    await publisher.start();
    await publisher.send('note', 'a');
    await bus.stop();
    await assert.rejects(publisher.send('note', 'b'), UnroutableError);
  });

  /** A bus whose second message holds its slot until the gate opens, and then takes its channel with it. */
  async function holding() {
    const gate = deferred<void>();
    const fault = faultBus(node.url);
    const { bus } = fault;
    const seen: unknown[] = [];
    const done: { readonly lost: boolean }[] = [];
    const gaps: { readonly since: Date; readonly queue: string }[] = [];
    bus.handle(
      'note',
      async (payload, context) => {
        seen.push(payload);
        if (payload !== 'held') return;
        await gate.promise;
        doubleAck(context);
        await eventually(() => assert.equal(gaps.length, 1), { timeout: 20_000 });
      },
      { each: 'process', name: 'Note' },
    );
    bus.on('handler.succeeded', (event) => done.push(event));
    bus.on('consumer.gap', (event) => gaps.push(event));
    await bus.start();
    return { ...fault, seen, done, gate, gaps };
  }
});

/** Numbered messages, and when each was published. */
class Notes {
  /** Number of the next. */
  next = 0;
  private readonly times: {
    readonly beganAt: number;
    readonly confirmedAt: number;
    readonly isWhole: boolean;
  }[] = [];
  private isStopped = false;

  constructor(
    private readonly bus: FaultBus['bus'],
    private readonly events: FaultBus['events'],
  ) {}

  async publishUntilStopped(): Promise<void> {
    while (!this.isStopped) {
      const number = this.next;
      this.next += 1;
      const beganAt = Date.now();
      const eventsBefore = this.events.length;
      await this.bus.publish('note', { number });
      const isWhole = this.events.length === eventsBefore;
      this.times[number] = { beganAt, confirmedAt: Date.now(), isWhole };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves when so many more are confirmed. */
  async more(count: number): Promise<void> {
    const wanted = this.next + count;
    await eventually(() => this.times[wanted - 1] !== undefined, { timeout: 120_000 });
  }

  stop(): void {
    this.isStopped = true;
  }

  timeOf(number: number) {
    return this.times[number] ?? assert.fail(`${number} is not confirmed`);
  }

  get confirmed(): number {
    return this.times.length;
  }
}

/** One process, as it has told. */
class Life {
  /** First number that was published when it had started. */
  from = 0;

  constructor(
    readonly worker: Worker,
    private readonly notes: Notes,
  ) {}

  get isStarted(): boolean {
    return this.worker.said.includes('started');
  }

  get isOver(): boolean {
    const { exitCode, signalCode } = this.worker.process;
    return exitCode !== null || signalCode !== null;
  }

  get gaps(): { readonly since: number; readonly toldAt: number }[] {
    return this.told('gap').map(([since = 0, toldAt = 0]) => ({ since, toldAt }));
  }

  /** How often each number came for the first time. */
  get firstAttempts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const [number = 0, attempt] of this.told('got'))
      if (attempt === 1) counts.set(number, (counts.get(number) ?? 0) + 1);
    return counts;
  }

  /** Numbers that failed once, and have not been tried again. */
  get unretried(): number[] {
    const again = new Set(this.told('got').flatMap(([number, attempt]) => (attempt === 2 ? number : [])));
    return [...this.firstAttempts.keys()].filter((number) => number % 10 === 0 && !again.has(number));
  }

  /** Numbers from `from` that it should have got, and hasn't. */
  missing(from = this.from): number[] {
    const got = this.firstAttempts;
    // What was still to come when it ended is nobody's loss.
    const to = this.isOver ? Math.max(...got.keys(), from - 1) + 1 : this.notes.confirmed;
    return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index).filter(
      (number) => !got.has(number),
    );
  }

  assertAccounted(): void {
    const { gaps, notes } = this;
    const unexplained = this.missing().filter((number) => {
      const { beganAt, confirmedAt } = notes.timeOf(number);
      return !gaps.some(
        ({ since, toldAt }) => confirmedAt >= since - SLACK_MS && beganAt <= toldAt + SLACK_MS,
      );
    });
    assert.deepEqual(unexplained, [], `missed without a word, beside gaps ${JSON.stringify(gaps)}`);
    // A publisher that has lost its connection before the confirm publishes again.
    const doubled = [...this.firstAttempts].filter(
      ([number, count]) => count > 1 && notes.timeOf(number).isWhole,
    );
    assert.deepEqual(doubled, []);
  }

  private told(what: string): number[][] {
    return this.worker.said.flatMap((line) => {
      const [word, ...numbers] = line.split(' ');
      return word === what ? [numbers.map(Number)] : [];
    });
  }
}
