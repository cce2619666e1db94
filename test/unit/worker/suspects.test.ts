import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Answer } from '../../../src/worker/protocol.js';
import { Suspects } from '../../../src/worker/suspects.js';
import { CrashWorld, type TestMessage } from './crash-world.js';

const suspect = { queue: 'q', messageId: 'm', digest: 'd' };

describe('finding the message that kills its process', () => {
  it('lets everything begin at once while no process has died', () => {
    const suspects = new Suspects(3);
    assert.deepEqual(suspects.receive({}, { kind: 'begins', number: 1, ...suspect }), {
      kind: 'go',
      number: 1,
    });
  });

  it('counts deaths of any worker for the one that ran alone in it, and gives it up at the limit', () => {
    let now = 0;
    const suspects = new Suspects(3, () => now);
    suspects.died({}, 'exit code 1');
    const die = (worker: object): Answer | undefined => {
      const answer = suspects.receive(worker, { kind: 'begins', number: 1, ...suspect });
      if (answer?.kind !== 'alone') return answer;
      suspects.receive(worker, { kind: 'alone', number: 1 });
      now += 10;
      const blame = suspects.died(worker, 'SIGABRT');
      assert.equal(blame?.messageId, 'm');
      return answer;
    };
    const answers = [die({}), die({}), die({}), die({})];
    assert.deepEqual(
      answers.map((answer) => answer?.kind),
      ['alone', 'alone', 'alone', 'crashed'],
    );
    assert.deepEqual((answers[3] as Extract<Answer, { kind: 'crashed' }>).deaths, [
      'SIGABRT',
      'SIGABRT',
      'SIGABRT',
    ]);
  });

  it('takes two messages that share an id for two', () => {
    const suspects = new Suspects(1);
    suspects.died({}, 'exit code 1');
    const worker = {};
    suspects.receive(worker, { kind: 'begins', number: 1, ...suspect });
    suspects.receive(worker, { kind: 'alone', number: 1 });
    suspects.died(worker, 'exit code 1');
    const kindOf = (digest: string) =>
      suspects.receive({}, { kind: 'begins', number: 1, ...suspect, digest })?.kind;
    assert.deepEqual([kindOf('d'), kindOf('another')], ['crashed', 'alone']);
  });

  it('forgets one that has ended, and one beside which nothing could be told', () => {
    const suspects = new Suspects(1);
    suspects.died({}, 'exit code 1');
    const worker = {};
    suspects.receive(worker, { kind: 'begins', number: 1, ...suspect });
    suspects.receive(worker, { kind: 'alone', number: 1 });
    suspects.receive(worker, { kind: 'beside', number: 1 });
    assert.equal(suspects.died(worker, 'exit code 1'), undefined);
    suspects.receive(worker, { kind: 'begins', number: 2, ...suspect });
    suspects.receive(worker, { kind: 'alone', number: 2 });
    suspects.receive(worker, { kind: 'ended', number: 2, isSettled: true });
    assert.equal(suspects.died(worker, 'exit code 1'), undefined);
  });

  it('makes a quick one alone dead within few deaths, while those behind it wait for seconds only', async () => {
    const messages = Array.from({ length: 40 }, (_, place): TestMessage => ({ id: `${place}`, runMs: 20 }));
    messages[7] = { id: '7', runMs: 50, killsAfterMs: 10 };
    for (const processes of [1, 3]) {
      const world = new CrashWorld({ messages, processes, concurrency: 5 });
      assert.ok(await world.run(20_000), `${world.done.length} were done, ${world.crashed} crashed`);
      assert.deepEqual(world.crashed, ['7']);
      assert.equal(world.deaths, 4);
    }
  });

  const message = fc.record({
    runMs: fc.integer({ min: 1, max: 6_000 }),
    killsAfterMs: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined, freq: 6 }),
  });
  const worlds = fc.record({
    messages: fc
      .array(message, { minLength: 1, maxLength: 12 })
      .map((all) => all.map((each, place): TestMessage => ({ id: `${place}`, ...each }))),
    // One of them: each that hits the moment in which another runs alone is a death of that one, and the first needs no silence.
    leaving: fc.option(fc.record({ place: fc.nat(11), leavesMs: fc.integer({ min: 0, max: 3_000 }) }), {
      nil: undefined,
    }),
    processes: fc.integer({ min: 1, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    flaw: fc.option(
      fc.record({ ageMs: fc.integer({ min: 0, max: 20_000 }), processes: fc.integer({ min: 1, max: 40 }) }),
      { nil: undefined },
    ),
  });
  const isGuilty = ({ runMs, killsAfterMs = runMs }: TestMessage) => killsAfterMs < runMs;

  it('finds each that does, and takes no other for one, whatever else ends processes', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ leaving, messages, ...more }) => {
        const leavingOne = (each: TestMessage, place: number) =>
          place === leaving?.place ? { ...each, leavesMs: leaving.leavesMs } : each;
        const options = { ...more, messages: messages.map(leavingOne) };
        const world = new CrashWorld(options);
        const hasEnded = await world.run(60 * 60_000);
        const guilty = options.messages.filter(isGuilty).map(({ id }) => id);
        assert.deepEqual(
          world.crashed.filter((id) => !guilty.includes(id)),
          [],
          'crashed, and never killed a process',
        );
        assert.ok(hasEnded, `after an hour ${world.done} are done, ${world.crashed} crashed`);
        assert.deepEqual(world.crashed.toSorted(), guilty.toSorted());
      }),
      { numRuns: Number(process.env.RUNS ?? 60) },
    );
  }).timeout(60_000);
});
