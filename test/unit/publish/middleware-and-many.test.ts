import assert from 'node:assert/strict';
import { z } from 'zod';
import { ManyEntries } from '../../../src/features/outbox/many-entries.js';
import {
  BatchError,
  Bus,
  type BusOptions,
  defineMessage,
  type HandleOptions,
  InvalidMessageError,
  type MiddlewareObject,
  memory,
  NotUniqueError,
  OptionsError,
  PublishManyError,
  staticKeys,
} from '../../../src/index.js';
import { json } from '../../../src/serialization/json.js';
import type { OutboxEntry } from '../../../src/stores/outbox.js';
import { systemClock } from '../../../src/util/clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { eventually } from '../../support/eventually.js';

type PublishFunction = NonNullable<MiddlewareObject['publish']>;

const wrapped = (publish: PublishFunction): MiddlewareObject => ({ publish });

/** Lets one payload at a time through, as a limit around `next()` does. */
function oneByOne(): MiddlewareObject {
  let before: Promise<unknown> = Promise.resolve();
  return wrapped((_message, next) => {
    const own = before.then(() => next());
    before = own.catch(() => {});
    return own;
  });
}

/** Remembers how each payload's publish has ended. */
class Ends {
  readonly ends: string[] = [];
  readonly middleware = wrapped(async (_message, next) => {
    try {
      const published = await next();
      this.ends.push('published');
      return published;
    } catch (error) {
      this.ends.push((error as Error).message);
      throw error;
    }
  });
}

function* brokenAfter(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index;
  throw new Error('the source is broken');
}

describe('what is published through middleware, unique or packed', () => {
  let bus: Bus | undefined;
  const started = async (
    options: Partial<BusOptions>,
    handled: (payload: unknown) => unknown = () => {},
    ofHandler: HandleOptions = {},
  ) => {
    bus = new Bus({ service: 'shop', transport: memory(), failureLog: false, ...options });
    bus.handle('k', handled, ofHandler);
    await bus.start();
    return bus;
  };
  afterEach(() => bus?.stop());

  it('sends what is unique alone, though its definition gathers packs', async () => {
    const packed = defineMessage<number>('k', undefined, { pack: { max: 2, within: '1s' } });
    const gate = deferred();
    const publisher = await started({}, () => gate.promise, { unique: { by: String } });
    await Promise.all([publisher.send(packed, 1), publisher.send(packed, 2)]);
    await assert.rejects(publisher.send(packed, 2), NotUniqueError);
    gate.resolve();
  });

  it('takes no JSON where nothing is packed', async () => {
    const packed = defineMessage<number>('k', undefined, { pack: {} });
    const other = { ...json(), contentType: 'application/other' };
    const encryption = { keys: staticKeys({ current: 'a', keys: { a: Buffer.alloc(32) } }) };
    const publisher = await started({ serializer: other, encryption });
    await publisher.send(packed, 1, { unique: { key: 'one' } });
    await publisher.publish(packed, 1, { encrypted: true });
  });

  it('checks the headers that middleware gives each of many', async () => {
    const wrong = wrapped((_message, next) => next({ headers: { of: (() => {}) as never } }));
    const publisher = await started({ middleware: [wrong] });
    await assert.rejects(publisher.publish('k', 1), InvalidMessageError);
    const many = publisher.publishMany('k', [1, 2]);
    await assert.rejects(many, (error: PublishManyError) => {
      assert.deepEqual(
        error.failures.map((failure) => [failure.index, failure.error.name]),
        [
          [0, 'InvalidMessageError'],
          [1, 'InvalidMessageError'],
        ],
      );
      return error instanceof PublishManyError;
    });
  });

  it('refuses what are no options', async () => {
    const publisher = await started({});
    await assert.rejects(publisher.publish('k', 1, null as never), OptionsError);
    await assert.rejects(publisher.publishMany('k', [1], null as never), OptionsError);
  });

  it('ends the middleware of payloads whose source breaks', async () => {
    const ends = new Ends();
    const publisher = await started({ middleware: [ends.middleware] });
    await assert.rejects(publisher.publishMany('k', brokenAfter(3), { pack: 2 }), /source is broken/);
    await eventually(() =>
      assert.deepEqual(ends.ends.toSorted(), ['published', 'published', 'the source is broken']),
    );
  });

  it('loses no payload of many whose middleware does not wait for next()', async () => {
    const hasty = wrapped(async (_message, next) => {
      void next();
      return { messageId: 'own', confirmed: true, dueAt: undefined };
    });
    const handled: unknown[] = [];
    const all = deferred();
    const late = z.number().refine(() => new Promise<boolean>((resolve) => setImmediate(resolve, true)));
    const checked = defineMessage('k', late);
    const publisher = await started({ middleware: [hasty] }, (payload) => {
      handled.push(payload);
      if (handled.length === 3) all.resolve();
    });
    await publisher.publishMany(checked, [1, 2, 3], { pack: 2 });
    await all.promise;
    assert.deepEqual(handled.toSorted(), [1, 2, 3]);
  });

  it('closes a pack whose next payload waits for one that is in it', async () => {
    const publisher = await started({ middleware: [oneByOne()] });
    assert.deepEqual(await publisher.publishMany('k', [1, 2, 3], { pack: 3 }), { count: 3, confirmed: true });
  });

  it('packs delayed payloads to which middleware adds the same headers', async () => {
    const tenant = wrapped((_message, next) => next({ headers: { tenant: 'acme' } }));
    const publisher = await started({ middleware: [tenant] });
    const ids: (string | undefined)[] = [];
    publisher.on('message.confirmed', ({ messageId }) => ids.push(messageId));
    await publisher.publishMany('k', [1, 2], { pack: 2, delay: '100ms' });
    assert.deepEqual(
      ids.map((id) => id?.slice(-2)),
      ['.0', '.1'],
    );
  });

  describe('into an outbox', () => {
    const receipt = (messageId: string) => ({ messageId, confirmed: false, dueAt: undefined });
    const entryOf = (payload: unknown): OutboxEntry => ({
      ...{ messageId: String(payload), routingKey: 'k' },
      ...{ orderKey: undefined, message: 'm' },
    });
    const adding = (
      { publish }: MiddlewareObject,
      compose: (payload: unknown) => Promise<OutboxEntry> = async (payload) => entryOf(payload),
    ) => {
      const added: string[] = [];
      const many = new ManyEntries(
        async (entries) => void added.push(entries.map(({ messageId }) => messageId).join()),
        (payload, go) => (publish as PublishFunction)({ payload } as never, () => go(payload, {}, undefined)),
        compose,
        receipt,
        systemClock,
      );
      return { many, added };
    };

    it('adds entries whose next payload waits for them', async () => {
      const { many, added } = adding(oneByOne());
      assert.deepEqual(await many.addAll([1, 2, 3]), { count: 3, failures: [] });
      assert.deepEqual(added.join().split(','), ['1', '2', '3']);
    });

    it('adds what middleware did not wait for', async () => {
      const hasty = wrapped(async (_message, next) => {
        void next();
        return receipt('own');
      });
      const { many, added } = adding(hasty, async (payload) => {
        await new Promise(setImmediate);
        return entryOf(payload);
      });
      await many.addAll([1, 2]);
      assert.deepEqual(added, ['1,2']);
    });

    it('ends the middleware of payloads whose source breaks', async () => {
      const ends = new Ends();
      const { many, added } = adding(ends.middleware);
      await assert.rejects(many.addAll(brokenAfter(2)), /source is broken/);
      await eventually(() => assert.equal(ends.ends.length, 2));
      assert.deepEqual([ends.ends, added], [['the source is broken', 'the source is broken'], []]);
    });
  });

  it('refuses a batch whose middleware lets a job not pass, with a typed error', async () => {
    const stopping = wrapped(async () => ({ messageId: 'own', confirmed: true, dueAt: undefined }));
    const publisher = await started({ middleware: [stopping] });
    const batch = publisher.batch([{ key: 'k', payload: 1 }]);
    await assert.rejects(batch.dispatch(), BatchError);
  });

  it('refuses a batch whose middleware lets one job at a time through', async () => {
    const publisher = await started({ middleware: [oneByOne()], publishDeadline: '200ms' });
    const jobs = [1, 2].map((payload) => ({ key: 'k', payload }));
    await assert.rejects(publisher.batch(jobs).dispatch(), /has let no further job .* go on for 200ms/);
  });

  it('sends the jobs of a batch whose middleware does not wait for next()', async () => {
    const hasty = wrapped(async (_message, next) => {
      void next();
      return { messageId: 'own', confirmed: true, dueAt: undefined };
    });
    const publisher = await started({ middleware: [hasty] });
    const { total } = await publisher.batch([{ key: 'k', payload: 1 }]).dispatch();
    assert.equal(total, 1);
  });
});
