import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { entriesOf, logged, READY, untilLogged, useWorkService, type WorkService } from './work-service.js';

/** Whether this machine lets us make process 1 of a namespace. */
const canBeFirst = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

/** After the process listens: while its modules are loaded, its workers are forked, loaded, connected, ready. */
const MOMENTS_MS = [0, 100, 300, 700, 1_500];

const TELLS = { NODE_OPTIONS: `--import=${import.meta.resolve('./tell-listening.js')}` };

describe('the start of hopline work', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  beforeEach(() => {
    service = theService();
  });

  it('listens for signals before it loads anything', async () => {
    const { code, stderr, stdout } = await service.work([], { env: { ...TELLS, SIGTERM_AT_ONCE: '1' } })
      .ended;
    assert.equal(code, 0, stderr + stdout);
    assert.equal(stderr, 'listens with 0 modules loaded\n');
    assert.equal(logged({ stdout }, READY).length, 0);
  });

  for (const isFirst of [false, true]) {
    const how = isFirst ? ' as process 1' : '';
    it(`ends in order at a SIGTERM at every moment${how} [row 52]`, async () => {
      if (isFirst && !canBeFirst) {
        console.log('        not run: it takes the right to make a PID namespace (unshare --pid)');
        return;
      }
      const ended = await Promise.all(
        MOMENTS_MS.map(async (moment) => {
          const command = service.work([], { env: TELLS, asFirst: isFirst });
          await eventually(() => assert.match(command.stderr, /^listens/), { timeout: 20_000 });
          const [pid = 0] = isFirst ? childrenOf(command.child.pid as number) : [command.child.pid as number];
          await pause(moment);
          process.kill(pid, 'SIGTERM');
          const { code, stdout } = await command.ended;
          return { moment, code, ...(code !== 0 && { stdout }) };
        }),
      );
      assert.deepEqual(
        ended,
        MOMENTS_MS.map((moment) => ({ moment, code: 0 })),
      );
    });
  }

  it('ends in order at a SIGTERM to all its processes while one is replaced [row 52]', async () => {
    for (const moment of [0, 30, 100, 250]) {
      const command = service.work(['--processes', '2'], { ownGroup: true });
      await untilLogged(command, READY, 2);
      command.child.kill('SIGHUP');
      await untilLogged(command, /is replaced/);
      await pause(moment);
      process.kill(-(command.child.pid as number), 'SIGTERM');
      const { code, stdout } = await command.ended;
      assert.equal(code, 0, `after ${moment} ms: ${stdout}`);
    }
  });

  for (const [args, what] of [
    [['--bogus'], 'an unknown option'],
    [['--processes', '0'], 'a number that is none'],
    [['--help'], 'a question for help'],
  ] as const)
    it(`leaves no process behind, and shows nothing of the one that it has begun to start: ${what}`, async () => {
      const command = service.work(args, { ownGroup: true });
      const { code, stdout, stderr } = await command.ended;
      const isHelp = args[0] === '--help';
      assert.equal(code, isHelp ? 0 : 2, stderr);
      assert.match(isHelp ? stdout : stderr, isHelp ? /^Usage: hopline work/ : /^error: /);
      assert.equal(isHelp ? stderr : stdout, '');
      await eventually(() => assert.ok(!isAlive(-(command.child.pid as number)), 'its group lives'));
    });

  for (const [fault, reason] of [
    ['at load', /can't be loaded: the database is away/],
    ['at import', /can't be loaded: Cannot find package 'not-installed/],
    ['wrong options', /can't be loaded: .*unknown option prefech/s],
  ] as const)
    it(`ends with 2 and the reason when its application can't be loaded: ${fault} [row 52]`, async () => {
      const command = service.work(['--processes', '2'], { env: { JOBS_FAULT: fault } });
      const { code, stdout } = await command.ended;
      assert.equal(code, 2, stdout);
      const [refusal, ...more] = logged({ stdout }, /^the application can't be run/);
      assert.match(refusal?.msg ?? '', reason);
      // What it can't be given instead is no advice.
      assert.equal(refusal?.help, 'Build it first, or mend what it throws');
      assert.equal(more.length, 0);
    });

  it('goes on when a process that is started later cannot be loaded', async () => {
    const command = service.work(['--processes', '2', '--stop-timeout', '5s'], {
      env: { JOBS_FAULT: 'at load of the third' },
    });
    await untilLogged(command, READY, 2);
    command.child.kill('SIGHUP');
    await untilLogged(command, /^worker 1 can't be replaced: .*the old process goes on/);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0, command.stdout);
    rmSync(join(tmpdir(), `${service.name}-loads`));
  });

  it('waits for a broker that is away, as it may come', async () => {
    const command = service.work([], { env: { AMQP_URL: 'amqp://127.0.0.1:1', JOBS_FAULT: 'impatient' } });
    await untilLogged(command, /it is started again in/, 2);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0, command.stdout);
  });

  it('ends its workers at once while they load, when it is told to, and when it is killed', async () => {
    const told = service.work([], { env: { JOBS_FAULT: 'while it loads' } });
    await eventually(() => assert.ok(childrenOf(told.child.pid as number).length > 0));
    told.child.kill('SIGTERM');
    assert.equal((await told.ended).code, 0);
    const killed = service.work(['--processes', '2'], { env: { JOBS_FAULT: 'while it loads' } });
    const children = await eventually(() => {
      const pids = childrenOf(killed.child.pid as number);
      assert.equal(pids.length, 2);
      return pids;
    });
    killed.child.kill('SIGKILL');
    await eventually(() => assert.ok(children.every((pid) => !isAlive(pid))));
    assert.deepEqual(entriesOf(killed), []);
  });
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
