import assert from 'node:assert/strict';
import { type Bus, OptionsError, TopologyError } from '../../src/index.js';
import type { QueueArguments } from '../../src/topology/plan.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** Arguments of queues that others have made, by what is special about them. */
const MADE: Readonly<Record<string, QueueArguments>> = {
  'a classic one': { 'x-queue-type': 'classic' },
  'a quorum queue': { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 },
  'one with a limit, a time to live and priorities': {
    'x-queue-type': 'classic',
    'x-max-length': 50,
    'x-message-ttl': 3_600_000,
    'x-max-priority': 3,
  },
  'one with dead letters of its own': {
    'x-queue-type': 'quorum',
    'x-delivery-limit': 5,
    'x-dead-letter-exchange': 'somewhere',
    'x-overflow': 'drop-head',
  },
};

/** Makes a queue that is no bus's. */
async function theirs(fx: BusFixture, args: QueueArguments, short = 'legacy'): Promise<string> {
  const port = await fx.port();
  const name = fx.name(short);
  await port.session.declarePlan(
    { own: { exchanges: [], queues: [{ name, arguments: args }], bindings: [] } },
    'declare',
    port.deadline,
  );
  await port.close();
  return name;
}

const put = (fx: BusFixture, queue: string, body: string) =>
  fx.foreign.publish({ exchange: '', routingKey: queue, body });

const consumed = (bus: Bus, name: string, handle: Parameters<Bus['handle']>[1]): Bus =>
  bus.handle('#', handle, { queue: { name, declare: false }, retry: { tries: 2, backoff: '100ms' } });

export const queuesOfOthers: Theme = (test) => {
  for (const [what, args] of Object.entries(MADE))
    test(`${what} is consumed as it is, with its retries and dead letters beside it`, async (fx) => {
      const name = await theirs(fx, args);
      const handler = fx.recorder(({ payload, attempt }) => {
        if (payload === 'never' || attempt === 1) throw new Error('not yet');
      });
      const bus = consumed(fx.bus('reader'), name, handler.handle);
      await bus.start();
      await put(fx, name, '"once more"');
      await put(fx, name, '"never"');
      await fx.eventually(() => assert.equal(handler.calls.length, 4));
      const letter = await fx.deadLetter(name);
      assert.equal(letter.body.toString(), '"never"');
      assert.deepEqual(handler.calls.map(({ payload, attempt }) => `${payload} ${attempt}`).sort(), [
        'never 1',
        'never 2',
        'once more 1',
        'once more 2',
      ]);
      // The very same declaration is still accepted: nothing of the queue has changed.
      await theirs(fx, args);
      await fx.stop(bus);
      await put(fx, name, '"for the next"');
      assert.equal((await fx.taken(name, 1))[0]?.body.toString(), '"for the next"');
    });

  test('one that nobody has made is a TopologyError that names it, and it is not made', async (fx) => {
    const name = fx.name('nowhere');
    const bus = consumed(fx.bus('reader'), name, () => {});
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${name}'`);
      assert.match(String(error.help), /owner/);
      return true;
    });
    const port = await fx.port();
    assert.equal(await port.session.inspect(name), undefined);
  });

  test('what is its owner’s to say is refused', async (fx) => {
    const bus = fx.bus('reader').handle('#', () => {}, {
      queue: { declare: false, type: 'classic', maxPriority: 3, lanes: ['high', 'default'] },
      name: 'reader',
    });
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof OptionsError);
      for (const part of [/its type/, /its maxPriority/, /its lanes/, /no name/])
        assert.ok(
          error.problems.some((problem) => part.test(problem)),
          String(part),
        );
      return true;
    });
  });
};
