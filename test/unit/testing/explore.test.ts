import assert from 'node:assert/strict';
import { OptionsError } from '../../../src/index.js';
import { schedules } from '../../../src/testing/exploring/choose.js';
import { parseSchedule, type Schedule, scheduleText } from '../../../src/testing/exploring/schedule.js';
import { shrink } from '../../../src/testing/exploring/shrink.js';
import { explore, ScheduleFailedError, type StartKit } from '../../../src/testing/index.js';

/** An order is charged, and a receipt follows; `charge` says how. */
function charging(charge: (messageId: string, books: Map<string, number>) => void) {
  return async (start: StartKit): Promise<void> => {
    const books = new Map<string, number>();
    const kit = await start({
      configure: (bus) =>
        bus
          .handle('order.placed', async ({ order }: { order: string }, context) => {
            charge(order, books);
            await context.publish('order.charged', { order });
          })
          .handle('order.charged', () => {}),
    });
    await kit.publish('order.placed', { order: 'a' });
    await kit.publish('order.placed', { order: 'b' });
    await kit.advance('1h');
    assert.deepEqual(
      [...books],
      [
        ['a', 1],
        ['b', 1],
      ],
    );
    kit.published('order.charged').with({ order: 'a' }).assertSome();
    kit.published('order.charged').with({ order: 'b' }).assertSome();
    kit.deadLettered().assertNone();
  };
}

const careless = charging((order, books) => books.set(order, (books.get(order) ?? 0) + 1));
const careful = charging((order, books) => books.set(order, 1));

const failureOf = (exploring: Promise<unknown>): Promise<ScheduleFailedError> =>
  exploring.then(
    () => assert.fail('it passed'),
    (error) => {
      assert.ok(error instanceof ScheduleFailedError, String(error));
      return error;
    },
  );

describe('explore', () => {
  it('passes a handler that bears every fault, and says how many it bore', async () => {
    const { runs, seed, faults } = await explore({ scenario: careful, runs: 60, seed: 7 });
    assert.deepEqual({ runs, seed }, { runs: 60, seed: 7 });
    assert.ok(faults >= 60, `${faults} faults in 60 runs`);
  });

  it('finds a handler that is not idempotent, by a single fault, and shows what happened', async () => {
    const error = await failureOf(explore({ scenario: careless, seed: 7 }));
    assert.equal(error.code, 'HOPLINE_SCHEDULE_FAILED');
    assert.match(error.schedule, /^[a-z-]+@\d+$/);
    assert.ok(error.cause instanceof assert.AssertionError);
    assert.match(error.message, /fault: .*\n/);
    assert.match(error.message, /order.placed handled order.placed/);
    assert.ok(error.message.includes(`explore({ replay: '${error.schedule}'`));
  });

  it('finds the same with the same seed, and again by its replay', async () => {
    const first = await failureOf(explore({ scenario: careless, seed: 3 }));
    const second = await failureOf(explore({ scenario: careless, seed: 3 }));
    assert.equal(first.message, second.message);
    const replayed = await failureOf(explore({ scenario: careless, replay: first.schedule }));
    assert.equal(replayed.schedule, first.schedule);
  });

  it('finds a handler that only tells a message from the one just before it', async () => {
    const scenario = async (start: StartKit) => {
      const charged: unknown[] = [];
      let last: string | undefined;
      const kit = await start({
        concurrency: 1,
        configure: (bus) =>
          bus.handle('it', (payload, { messageId }) => {
            if (messageId === last) return;
            last = messageId;
            charged.push(payload);
          }),
      });
      for (const n of [1, 2, 3]) await kit.publish('it', n);
      await kit.advance('1h');
      assert.deepEqual(charged, [1, 2, 3]);
    };
    await explore({ scenario, replay: 'ack-lost@1' });
    const { schedule } = await failureOf(explore({ scenario, seed: 1 }));
    assert.equal(schedule, 'ack-lost-late@1');
  });

  it('finds what only two faults together bring about', async () => {
    const scenario = async (start: StartKit) => {
      let runs = 0;
      const kit = await start({
        configure: (bus) =>
          bus.handle('it', () => {
            runs += 1;
          }),
      });
      for (let n = 0; n < 3; n += 1) await kit.publish('it', n);
      await kit.advance('1h');
      assert.ok(runs <= 4, `${runs} runs`);
    };
    const { schedule } = await failureOf(explore({ scenario, seed: 1, runs: 300 }));
    assert.equal(parseSchedule(schedule)?.length, 2, schedule);
  });

  /** Of one handler that publishes once: how often it runs, and how often its message is handled. */
  const effects: readonly (readonly [fault: string, runs: number, follows: number])[] = [
    ['ack-lost@1', 2, 2],
    ['ack-lost@2', 1, 2],
    ['ack-lost-late@1', 2, 2],
    ['sent-twice@1', 2, 2],
    ['sent-twice@2', 1, 2],
    ['confirm-lost@1', 2, 2],
    ['crash-before-ack@1', 2, 2],
    ['crash-after-publish@1', 2, 2],
    ['crash-before-publish@1', 2, 1],
    ['ack-lost@1, ack-lost@2', 2, 3],
    ['ack-lost@9', 1, 1],
  ];
  for (const [replay, runs, follows] of effects) {
    it(`${replay} makes the handler run ${runs}, and what it publishes be handled ${follows} times`, async () => {
      const seen: number[][] = [];
      const scenario = async (start: StartKit) => {
        const ran = [0, 0] as [number, number];
        seen.push(ran);
        const kit = await start({
          configure: (bus) =>
            bus
              .handle('it', (_, context) => {
                ran[0] += 1;
                return context.publish('follows', {});
              })
              .handle('follows', () => {
                ran[1] += 1;
              }),
        });
        await kit.publish('it', {});
        await kit.advance('1h');
      };
      await explore({ scenario, replay });
      assert.deepEqual(seen, [
        [1, 1],
        [runs, follows],
      ]);
    });
  }

  it('throws what the scenario throws without any fault', async () => {
    const scenario = async () => {
      throw new RangeError('mine');
    };
    await assert.rejects(explore({ scenario }), RangeError);
  });

  it('refuses a scenario about which no fault could tell anything', async () => {
    const scenario = async (start: StartKit) => {
      const kit = await start();
      await kit.publish('nobody', {});
    };
    await assert.rejects(explore({ scenario }), /handles no message/);
  });

  it('checks its options all at once', async () => {
    const wrong = { scenario: 1, run: 3, seed: 'x', replay: 'meteor@1' };
    await assert.rejects(explore(wrong as never), (error: OptionsError) => {
      assert.ok(error instanceof OptionsError);
      assert.equal(error.problems.length, 4);
      assert.match(error.message, /did you mean runs\?/);
      return true;
    });
  });
});

describe('the schedules of a seed', () => {
  const counts = { acks: 4, publishes: 5, ownPublishes: 2 };

  it('begin with every single fault at every place', () => {
    const all = [...schedules(counts, 100, 1)];
    assert.equal(all.length, 100);
    const singles = all.filter((schedule) => schedule.length === 1).map(scheduleText);
    assert.equal(new Set(singles).size, 4 * 3 + 5 + 2 * 3);
  });

  it('are the same for the same seed, and others for another', () => {
    const texts = (seed: number) => [...schedules(counts, 50, seed)].map(scheduleText).join('\n');
    assert.equal(texts(5), texts(5));
    assert.notEqual(texts(5), texts(6));
  });

  it('are read back from their text', () => {
    for (const schedule of schedules(counts, 50, 9)) {
      assert.deepEqual(parseSchedule(scheduleText(schedule)), schedule);
    }
    for (const text of ['', 'ack-lost', 'ack-lost@0', 'ack-lost@1,', 'meteor@1']) {
      assert.equal(parseSchedule(text), undefined, text);
    }
  });
});

describe('shrinking', () => {
  const schedule = parseSchedule('sent-twice@4, ack-lost@7, crash-before-ack@3') as Schedule;

  it('leaves only the faults that it takes, at their earliest places', async () => {
    const shortest = await shrink(schedule, async (tried) =>
      tried.some(({ kind, nth }) => kind === 'ack-lost' && nth >= 2),
    );
    assert.equal(scheduleText(shortest), 'ack-lost@2');
  });

  it('keeps all that it takes', async () => {
    const shortest = await shrink(schedule, async (tried) => tried.length === 3);
    assert.equal(scheduleText(shortest), 'sent-twice@1, ack-lost@1, crash-before-ack@1');
  });

  it('keeps the schedule if nothing shorter fails', async () => {
    assert.deepEqual(await shrink(schedule, async () => false), schedule);
  });
});
