import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { provideRedis } from '../support/redis.js';
import { ALLOWED } from './apps/limits.js';
import type { Command } from './command.js';
import {
  doneIn,
  entriesOf,
  logged,
  READY,
  underLoad,
  untilLogged,
  useWorkService,
  type WorkService,
} from './work-service.js';

describe('hopline work', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  beforeEach(() => {
    service = theService();
  });

  const untilDone = (command: Command, numbers: readonly number[], timeout = 30_000) =>
    eventually(
      () => assert.deepEqual([...new Set(doneIn(command))].toSorted(byNumber), numbers, command.stdout),
      { timeout },
    );

  it('runs what waits in the queues, and ends when they are empty if it is told so', async () => {
    const numbers = await service.send(50);
    const other = await service.send(5, {}, 'other');
    const { code, stdout, stderr } = await service.work(['--processes', '2', '--stop-when-empty']).ended;
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(doneIn({ stdout }).toSorted(byNumber), [...numbers, ...other]);
    assert.equal(stderr, '');
  });

  it('takes only the queues that are named', async () => {
    const [number = 0] = await service.send(1);
    await service.send(1, {}, 'other');
    const only = await service.work(['--queues', `${service.name}.work`, '--stop-when-empty']).ended;
    assert.equal(only.code, 0, only.stdout);
    assert.deepEqual(doneIn(only), [number]);
    assert.equal(await service.ready('other'), 1);
    assert.equal((await service.work(['--stop-when-empty']).ended).code, 0);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`lets handlers finish at ${signal}, and nothing that has finished comes again`, async () => {
      const numbers = await service.send(60, { ms: 200 });
      const command = service.work(['--processes', '2']);
      await untilLogged(command, /^began/, 8);
      command.child.kill(signal);
      const { code } = await command.ended;
      assert.equal(code, 0, command.stdout);
      const first = doneIn(command);
      assert.equal(first.length, logged(command, /^began/).length, 'one was begun and not finished');
      assert.ok(first.length < numbers.length, 'it went on to the end');
      const { stdout } = await service.work(['--stop-when-empty', '--concurrency', '50']).ended;
      assert.deepEqual([...first, ...doneIn({ stdout })].toSorted(byNumber), numbers);
    });
  }

  it('replaces a process that is killed under load: nothing is lost', async () => {
    const numbers = await service.send(300, { ms: 20 });
    const command = service.work(['--processes', '2']);
    const [ready] = await untilLogged(command, READY, 2);
    await untilLogged(command, /^did/, 20);
    process.kill(ready?.pid as number, 'SIGKILL');
    const [crash] = await untilLogged(command, /has ended with SIGKILL; it is started again in/);
    assert.equal(crash?.worker, ready?.worker);
    await untilLogged(command, READY, 3);
    await untilDone(command, numbers);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('replaces all processes at SIGHUP while it goes on: no job is lost, none is done twice', async () => {
    const command = service.work(['--processes', '2']);
    await untilLogged(command, READY, 2);
    const sent = await underLoad(service, command, async () => {
      await untilLogged(command, /^did/, 20);
      command.child.kill('SIGHUP');
      await untilLogged(command, READY, 4);
      await untilLogged(command, /^worker \d has stopped$/, 2);
    });
    await untilDone(command, sent);
    assert.equal(doneIn(command).length, sent.length, 'one was done twice');
    // One is stopped only when another one works in its place.
    const order = entriesOf(command).flatMap(({ msg, worker }) =>
      READY.test(msg) ? [`ready ${worker}`] : /has stopped$/.test(msg) ? [`stopped ${worker}`] : [],
    );
    assert.ok(order.lastIndexOf('ready 1') < order.indexOf('stopped 1'), String(order));
    assert.ok(order.lastIndexOf('ready 2') < order.indexOf('stopped 2'), String(order));
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('replaces a process that has begun so many jobs, or takes too much memory: none is lost', async () => {
    for (const [args, job, why] of [
      [['--max-jobs', '100'], { ms: 5 }, /it has begun \d+ jobs, and is to be replaced after 100/],
      [['--max-memory', '200MB'], { ms: 50, leakMb: 1 }, /it takes [\d.]+MB of memory, .* from 200MB on/],
    ] as const) {
      const numbers = await service.send(250, job);
      const command = service.work([...args]);
      await untilLogged(command, /^worker 1 is replaced: /);
      assert.match(logged(command, /^worker 1 is replaced/)[0]?.msg ?? '', why);
      await untilLogged(command, READY, 2);
      await untilLogged(command, /^worker 1 has stopped$/);
      await untilDone(command, numbers);
      assert.equal(doneIn(command).length, numbers.length);
      command.child.kill('SIGTERM');
      assert.equal((await command.ended).code, 0);
    }
  });

  it('fires the signals of handlers at the second signal, and is done when they end', async () => {
    await service.send(2, { holds: 'until cancelled' });
    const command = service.work(['--processes', '1']);
    await untilLogged(command, /^began/, 2);
    command.child.kill('SIGTERM');
    await untilLogged(command, /^stopping/);
    command.child.kill('SIGTERM');
    const { code } = await command.ended;
    assert.equal(code, 0, command.stdout);
    // They were cancelled: they come again.
    await eventually(async () => assert.equal(await service.ready(), 2));
  });

  it('leaves behind what does not end in time, and says so with its exit code', async () => {
    await service.send(1, { holds: 'for ever' });
    const command = service.work(['--stop-timeout', '2s']);
    await untilLogged(command, /^began/);
    command.child.kill('SIGTERM');
    const { code } = await command.ended;
    assert.equal(code, 1, command.stdout);
    assert.equal(logged(command, /left work behind$/).length, 1);
  });

  it('does not outlive its supervisor', async () => {
    const command = service.work(['--processes', '2']);
    const ready = await untilLogged(command, READY, 2);
    command.child.kill('SIGKILL');
    await eventually(() => ready.every(({ pid }) => !isAlive(pid as number)));
  });

  it('starts more processes while too much waits, and ends them again, within its range, and says why', async () => {
    // Work of a known length, whatever the machine's speed: twelve seconds for two processes.
    const numbers = await service.send(3_000, { ms: 40 });
    const command = service.work(['--processes', '2..4', '--clear-within', '1s', '--cool-down', '1s']);
    const [more] = await untilLogged(command, /^one process more/, 2);
    assert.match(
      more?.msg ?? '',
      /^one process more, 3 now: \d+ wait in \S+\.work, [\d.]+ms each, which takes 2 processes [\d.]+m?s; they are to be handled within 1s$/,
    );
    const less = await untilLogged(command, /^one process less/, 2, 60_000);
    assert.deepEqual(
      logged(command, /^one process/).map(({ processes }) => processes),
      [3, 4, 3, 2],
    );
    assert.match(less.at(-1)?.msg ?? '', /^one process less, 2 now: \d+ wait/);
    await untilDone(command, numbers);
    assert.equal(doneIn(command).length, numbers.length);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('keeps a rate limit over all processes that share a Redis: no more in any time, nothing lost, no try used', async () => {
    const redis = await provideRedis();
    try {
      const numbers = await service.send(45, {}, 'limited');
      const command = service.work(['--processes', '3', '--queues', `${service.name}.limited`], {
        env: { REDIS_URL: redis.url },
      });
      await untilDone(command, numbers);
      const begun = logged(command, /^did/).map(({ msg }) => Number(msg.split(' at ')[1]));
      assert.equal(begun.length, numbers.length);
      const sorted = begun.toSorted(byNumber);
      const shortest = Math.min(...sorted.slice(ALLOWED).map((at, place) => at - (sorted[place] ?? 0)));
      // Between the store's answer and the handler's first line some milliseconds pass, more or less.
      assert.ok(shortest > 1_900, `${ALLOWED + 1} began within ${shortest} ms`);
      assert.ok(new Set(logged(command, /^did/).map(({ worker }) => worker)).size > 1, 'one worker did all');
      command.child.kill('SIGTERM');
      assert.equal((await command.ended).code, 0);
    } finally {
      await redis.stop();
    }
  });

  it('slows down when a process crashes again and again, and says why', async () => {
    const command = service.work([], { env: { JOBS_FAULT: 'soon' } });
    await untilLogged(command, /worker 1 crashes again and again, 3 times so far, now with exit code 7/);
    const crashes = logged(command, /it is started again in/);
    const [first = 0, second = 0, third = 0] = crashes.map(({ retryInMs }) => retryInMs as number);
    assert.ok(first < second && second < third, `${first}, ${second}, ${third}`);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('ends at once if no other try can help: a queue that is not there', async () => {
    const { code, stdout } = await service.work(['--queues', `${service.name}.wrok`, '--processes', '2'])
      .ended;
    assert.equal(code, 2, stdout);
    const [refusal] = logged({ stdout }, /^the application can't be run/);
    assert.match(refusal?.msg ?? '', /there is no queue '.*wrok', did you mean .*work\?/);
  });

  it('refuses flags that it does not understand', async () => {
    const wrong = [
      [['--processes', '0'], /--processes is no whole number/],
      [['--processes', '4..2'], /--processes is no range/],
      [['--processes', '2..4', '--cool-down', 'soon'], /--cool-down is no duration/],
      [['--concurrency', 'many'], /--concurrency is no whole number/],
      [['--max-memory', '512'], /--max-memory is no size/],
      [['--max-time', 'long'], /--max-time is no duration/],
      [['--crashes', '1'], /--crashes is less than 2/],
      [['--queues', 'a,,b'], /--queues names nothing/],
      [['--tries', '0'], /--tries is no whole number/],
      [['--backoff', '1s,,2s'], /--backoff names nothing: '1s,,2s'. Write it as 1s,10s,1m/],
      [['--timeout', 'long'], /--timeout is no duration/],
      [['--timeout', '0s'], /--timeout is no time at all/],
    ] as const;
    const ended = await Promise.all(wrong.map(([args]) => service.work(args).ended));
    for (const [place, { code, stderr }] of ended.entries()) {
      assert.equal(code, 2);
      assert.match(stderr, wrong[place]?.[1] as RegExp);
    }
  });

  it('writes for people on a terminal', async () => {
    const { stdout, code } = await service.work(['--stop-when-empty'], { terminal: true }).ended;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /INFO.*: .*worker 1 is ready/);
  });
});

const byNumber = (a: number, b: number) => a - b;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
