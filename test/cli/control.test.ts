import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { hopline } from './command.js';
import {
  doneIn,
  logged,
  READY,
  underLoad,
  untilLogged,
  useWorkService,
  type WorkService,
} from './work-service.js';

describe('workers, as an operator sees them', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  let queue: string;
  beforeEach(() => {
    service = theService();
    queue = `${service.name}.work`;
  });

  it('pause holds across a restart of the workers, and resume lets them go on', async () => {
    const first = service.work(['--processes', '2']);
    await untilLogged(first, READY, 2);
    const { code, stdout, stderr } = await service.operate(['pause', queue]).ended;
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/begins nothing more of/g)?.length, 2, stdout);
    assert.match(stderr, /is paused, also for processes that start later, until: hopline resume/);
    const numbers = await service.send(10);
    first.child.kill('SIGHUP');
    await untilLogged(first, READY, 4);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    const next = service.work(['--processes', '2']);
    await untilLogged(next, READY, 2);
    const status = await service.status();
    assert.deepEqual(status.paused, [queue]);
    const seen = status.queues.find((each) => each.queue === queue);
    assert.deepEqual(seen, { queue, ready: 10, consumers: 0, consuming: 0, serving: 2, paused: true });
    const text = await service.operate(['status']).ended;
    const paused = `queue '${queue}' is paused by an operator, and holds 10 messages`;
    assert.ok(text.stdout.startsWith(`WHAT IS WRONG\n${paused}\n\nSERVICE`), text.stdout);
    assert.equal(text.stderr, '');
    // What is not paused goes on.
    const [other] = await service.send(1, {}, 'other');
    await untilLogged(next, new RegExp(`^did ${other}$`));
    assert.equal(await service.ready(), 10);
    assert.deepEqual(doneIn({ stdout: first.stdout }), []);
    assert.equal((await service.operate(['resume', queue]).ended).code, 0);
    await eventually(() =>
      assert.deepEqual(doneIn(next).toSorted(byNumber), [...numbers, other as number].toSorted(byNumber)),
    );
  });

  it('cancel stops a handler that runs in another process, and its message lies with the dead letters', async () => {
    const [number] = await service.send(1, { holds: 'until cancelled' });
    const command = service.work(['--processes', '2']);
    const [began] = await untilLogged(command, new RegExp(`^began ${number} `));
    const id = began?.msg.split(' ')[2] as string;
    const { code, stdout, stderr } = await service.operate(['cancel', id]).ended;
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(`^${service.name} on .*, process ${began?.pid ?? '\\d+'}: its signal was fired\n$`),
    );
    const listed = await eventually(async () => {
      const { stdout: json } = await hopline(
        ['failed', '--queue', queue, '--prefix', service.name, '--json'],
        { url: service.url },
      );
      const letters = JSON.parse(json) as { reason: string; messageId?: string }[];
      assert.equal(letters.length, 1);
      return letters;
    });
    assert.equal(listed[0]?.reason, 'cancelled');
    const again = await service.operate(['cancel', id]).ended;
    assert.equal(again.code, 1);
    assert.match(again.stderr, /no handler runs message/);
  });

  it('status agrees with the broker: processes, consumers, what runs and what waits', async () => {
    await service.send(30, { holds: 'until cancelled' });
    const command = service.work(['--processes', '3', '--concurrency', '4']);
    await untilLogged(command, /^began/, 12);
    const status = await eventually(async () => {
      const report = await service.status();
      const { messageCount, consumerCount } = await service.asBrokerSees();
      const { oldestMs, ...its } = report.queues.find((each) => each.queue === queue) ?? {};
      assert.ok((oldestMs ?? 0) >= 0);
      const broker = { ready: messageCount, consumers: consumerCount };
      const wanted = { queue, ...broker, serving: 3, consuming: 3, paused: false };
      assert.deepEqual(its, wanted);
      // All that the broker has handed out is here, and nothing else.
      const groups = report.processes.flatMap((process) => process.slotGroups);
      const here = groups.reduce((sum, { running, waiting }) => sum + running + waiting, 0);
      assert.equal(here, 30 - messageCount);
      return report;
    });
    assert.equal(status.processes.length, 3);
    assert.ok(status.processes.every(({ supervised, state }) => supervised && state === 'started'));
    const [work] = status.handlers.filter(({ handler }) => handler === 'Work');
    assert.deepEqual([work?.running, work?.queue], [12, queue]);
    const { stdout, stderr, code } = await service.operate(['status', '--service', service.name]).ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^${queue} +\\d+ +\\d +\\S+ +consumed$`, 'm'));
    assert.match(stdout, new RegExp(`^Work +${queue} +12 +0.0 `, 'm'));
    assert.equal(stdout.match(/ started +/g)?.length, 3, stdout);
    command.child.kill('SIGTERM');
    await untilLogged(command, /^stopping/);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('status begins with what is wrong: a handler that fails, and of what', async () => {
    const command = service.work([]);
    await untilLogged(command, READY);
    await service.send(3, { fails: 'for good' });
    await eventually(async () => {
      const { stdout } = await service.operate(['status', '--service', service.name]).ended;
      const fails = `handler 'Work' of queue '${queue}' fails 100 % of its attempts, with UnrecoverableError: never`;
      assert.ok(stdout.startsWith(`WHAT IS WRONG\n${fails}\n\nSERVICE`), stdout);
      assert.match(
        stdout,
        /^HANDLER +ERROR +TIMES +LAST +MESSAGE\nWork +UnrecoverableError +3 +\S+ ago +never$/m,
      );
    });
  });

  it('restart replaces all workers of a service, one after the other, while jobs go on: none is lost, none done twice', async () => {
    const command = service.work(['--processes', '2']);
    await untilLogged(command, READY, 2);
    const sent = await underLoad(service, command, async () => {
      await untilLogged(command, /^did/, 20);
      const { code, stdout, stderr } = await service.operate(['restart', service.name]).ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout.match(/is replaced when its turn comes/g)?.length, 2, stdout);
      await untilLogged(command, READY, 4);
      await untilLogged(command, /^worker \d has stopped$/, 2);
    });
    await eventually(() => assert.deepEqual(doneIn(command).toSorted(byNumber), sent.toSorted(byNumber)));
    assert.equal(logged(command, /is replaced: an operator has asked for a restart/).length, 2);
    const nobody = await service.operate(['restart', 'nobody']).ended;
    assert.deepEqual([nobody.code, nobody.stderr], [1, "no process of service 'nobody' has answered\n"]);
  });

  it('scale changes how many run at once in each process', async () => {
    await service.send(40, { holds: 'until cancelled' });
    const command = service.work(['--processes', '2', '--concurrency', '2']);
    await untilLogged(command, /^began/, 4);
    const { code, stdout, stderr } = await service.operate(['scale', queue, '--concurrency', '6']).ended;
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/6 at once of/g)?.length, 2, stdout);
    await untilLogged(command, /^began/, 12);
    command.child.kill('SIGTERM');
    await untilLogged(command, /^stopping/);
    command.child.kill('SIGTERM');
    await command.ended;
    assert.equal(logged(command, /^began/).length, 12);
  });

  it('top shows it on a terminal until q, and leaves the screen as it was', async () => {
    const command = service.work([]);
    await untilLogged(command, READY);
    const top = service.operate(['top', '--wait', '200ms'], { terminal: true });
    await eventually(() => assert.ok(top.stdout.split('\u001b[H\u001b[J').length > 2, top.stdout), {
      timeout: 20_000,
    });
    assert.match(top.stdout, new RegExp(`${queue} +0 +1 +\\S+ +consumed`));
    top.child.stdin?.write('q');
    const { code, stdout } = await top.ended;
    top.child.stdin?.end();
    assert.equal(code, 0);
    assert.ok(stdout.endsWith('\u001b[?1049l'), JSON.stringify(stdout.slice(-40)));
    const piped = await service.operate(['top']).ended;
    assert.deepEqual(
      [piped.code, piped.stderr],
      [2, 'error: standard output is no terminal. Use hopline status instead\n'],
    );
  });

  it('says what is wrong: a queue that is not there, a number that is none, nobody who answers', async () => {
    const wrong = [
      [['pause', `${service.name}.wrok`], 2, /there is no queue '.*wrok' in the broker/],
      [['scale', queue, '--concurrency', 'many'], 2, /--concurrency is no whole number from 1 on: 'many'/],
      [['scale', queue], 2, /required option '--concurrency <number>' not specified/],
      [['status', '--wait', 'long'], 2, /--wait is no duration: 'long'/],
      [['scale', queue, '--concurrency', '3'], 1, /nobody who serves '.*work' has answered/],
      [['pause', `${queue}.dead`], 2, /'.*work.dead' is a queue of Hopline's own/],
      [['status', '--json'], 0, /note: no process has answered: none runs, or none with this prefix/],
    ] as const;
    const ended = await Promise.all(wrong.map(([args]) => service.operate(args).ended));
    for (const [place, { code, stderr }] of ended.entries()) {
      assert.equal(code, wrong[place]?.[1], stderr);
      assert.match(stderr, wrong[place]?.[2] as RegExp);
    }
    const away = await hopline(['status'], { url: 'amqp://user:secret@127.0.0.1:1' });
    assert.equal(away.code, 1);
    assert.match(away.stderr, /can't connect to 127.0.0.1:1/);
    assert.doesNotMatch(away.stderr, /secret/);
  });
});

const byNumber = (a: number, b: number) => a - b;
