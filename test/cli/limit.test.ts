import assert from 'node:assert/strict';
import type { SetLimit } from '../../src/operate.js';
import { ALLOWED } from './apps/limits.js';
import { doneIn, READY, untilLogged, useWorkService, type WorkService } from './work-service.js';

describe('limits of handlers, as an operator changes them', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  let queue: string;
  beforeEach(() => {
    service = theService();
    queue = `${service.name}.limited`;
  });
  const list = async () =>
    JSON.parse((await service.operate(['limit', 'list', '--json']).ended).stdout) as SetLimit[];

  it('hold in two processes together, until they are cleared', async () => {
    const command = service.work(['--processes', '2']);
    await untilLogged(command, READY, 2);
    const set = await service.operate(['limit', 'set', 'Limited', '--rate', '2/1s', '--concurrency', '3'])
      .ended;
    assert.equal(set.code, 0, set.stderr);
    assert.equal(set.stdout.match(/process \d+: 2\/1s, 3 at once in each process$/gm)?.length, 2, set.stdout);
    assert.match(
      set.stderr,
      /^handler 'Limited' of queue '.*limited': 2\/1s, 3 at once in each process, also in processes that start later, until: hopline limit clear$/m,
    );
    const isShared = process.env.REDIS_URL !== undefined;
    assert.equal(/counts alone/.test(set.stderr), !isShared, set.stderr);
    const limited = new RegExp(`^Limited +${queue} +2/1s +3 +\\S+ ago$`, 'm');
    assert.match((await service.operate(['status']).ended).stdout, limited);
    const numbers = await service.send(9, {}, 'limited');
    const times = (await untilLogged(command, /^did \d+ at/, 9)).map(({ msg }) => Number(msg.split(' ')[3]));
    assert.deepEqual(doneIn(command).toSorted(byNumber), numbers);
    // By the handlers' clock: an answer of the store may take some milliseconds more or less.
    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 950).length));
    assert.ok(most <= (isShared ? 2 : 4), `${most} within a second: ${times}`);
    const [limit, ...others] = await list();
    assert.deepEqual(others, []);
    const rate = { allow: 2, everyMs: 1_000 };
    assert.deepEqual({ ...limit, since: 0 }, { handler: 'Limited', queue, rate, concurrency: 3, since: 0 });
    const table = await service.operate(['limit']).ended;
    assert.match(table.stdout, new RegExp(`^Limited +${queue} +2/1s +3 +\\d{4}-`, 'm'));
    const cleared = await service.operate(['limit', 'clear', 'Limited']).ended;
    assert.equal(cleared.code, 0, cleared.stderr);
    assert.deepEqual(await list(), []);
    const own = new RegExp(`^Limited +${queue} +${ALLOWED}/2s +- +-$`, 'm');
    assert.match((await service.operate(['status']).ended).stdout, own);
  });

  it('say what is wrong: no such handler, no rate, nothing set', async () => {
    const command = service.work([]);
    await untilLogged(command, READY);
    const wrong = [
      [['limit', 'set', 'Wrok', '--rate', '4/1h'], /has a handler 'Wrok', did you mean Work\?/],
      [['limit', 'set', 'Work'], /no limit is named\. Give --rate, --concurrency, or both/],
      [['limit', 'set', '--rate', '4/1h'], /no handler is named/],
      [['limit', 'set', 'Work', '--rate', 'often'], /--rate is no rate: 'often'/],
      [['limit', 'set', 'Work', '--rate', '4/10ms'], /rate.every to be a duration of whole seconds/],
      [['limit', 'set', 'Work', '--bucket', 'b', '--rate', '4/1h'], /a bucket is named beside a handler/],
      [['limit', 'clear', 'Work'], /no limit is set for handler 'Work'; there are none/],
    ] as const;
    const ended = await Promise.all(wrong.map(([args]) => service.operate(args).ended));
    for (const [place, { code, stderr }] of ended.entries()) {
      assert.equal(code, 2, stderr);
      assert.match(stderr, wrong[place]?.[1] as RegExp);
    }
    assert.deepEqual(await list(), []);
  });
});

const byNumber = (a: number, b: number) => a - b;
