import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { longTest } from '../support/long.js';
import type { Job } from './apps/jobs.js';
import { doneIn, type Entry, logged, untilLogged, useWorkService, type WorkService } from './work-service.js';

/** So long it may take from its first delivery until all that waited behind it is done. */
const WITHIN_MS = 20_000;

describe('hopline work, with a message that kills its process', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  beforeEach(() => {
    service = theService();
  });

  async function flowsAgain(
    kills: NonNullable<Job['kills']>,
    args: readonly string[],
    env: Record<string, string> = {},
  ) {
    const [poison = 0] = await service.send(1, { kills });
    const numbers = await service.send(200, { ms: 2 });
    const other = await service.send(20, { ms: 2 }, 'other');
    const command = service.work(args, { env });
    const [first] = (await untilLogged(command, new RegExp(`^began ${poison} `))) as [Entry];
    const innocent = [...numbers, ...other];
    await eventually(() => assert.equal(new Set(doneIn(command)).size, innocent.length, command.stdout), {
      timeout: 60_000,
    });
    const tookMs =
      Date.parse(logged(command, /^did /).at(-1)?.time as string) - Date.parse(first.time as string);
    const id = first.msg.split(' ')[2];
    const letter = await eventually(async () => {
      const found = (await service.deadLetters()).find((each) => each.id === id);
      assert.ok(found, 'it is no dead letter');
      return found;
    });
    assert.equal(letter.reason, 'crashed');
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
    assert.ok(tookMs < WITHIN_MS, `it took ${tookMs} ms`);
    return { command, poison, letter };
  }

  it('by exit: gives it up after three deaths, and the queue flows again within 20 s [row 48]', async () => {
    const { command, poison, letter } = await flowsAgain('by exit', []);
    // The first time nothing was known of it.
    assert.equal(logged(command, new RegExp(`^began ${poison} `)).length, 4);
    assert.match(letter.error ?? '', /3 times: exit code 13, exit code 13, exit code 13/);
    const [line] = logged(
      command,
      /^a message of queue '.*\.work' failed .*, dead-lettered to .* as crashed: /,
    );
    assert.equal(line?.level, 50);
    const pauses = logged(command, /while it ran nothing but one message of/).map(
      ({ retryInMs }) => retryInMs,
    );
    assert.deepEqual(pauses, [100, 100, 100]);
  });

  it('by a rejection that nobody waits for: the same, in whichever process it dies [row 48]', async () => {
    await flowsAgain('by a detached rejection', ['--processes', '2']);
  });

  // In short: the two before.
  longTest('by memory: the same [row 48]', async () => {
    await flowsAgain('by memory', ['--crashes', '2'], { NODE_OPTIONS: '--max-old-space-size=48' });
  });
});
