import assert from 'node:assert/strict';
import { KeptDocumentError } from '../../src/errors.js';
import { KeptDocument } from '../../src/kept/kept-document.js';
import { deferred } from '../../src/util/deferred.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

type Notes = readonly string[];

const isNotes = (content: unknown): content is Notes =>
  Array.isArray(content) && content.every((each) => typeof each === 'string');

/** One operator's, on a session of its own. */
async function notes(fx: BusFixture, ifUnreadable?: Notes): Promise<KeptDocument<Notes>> {
  const { session } = await fx.port();
  return new KeptDocument<Notes>({
    ...{ session, clock: fx.harness.clock, queue: fx.names.groups, empty: [] },
    decode: (content) => (isNotes(content) ? content : undefined),
    ...(ifUnreadable ? { ifUnreadable } : {}),
  });
}

/** What operators share without a database. */
export const keptDocuments: Theme = (test) => {
  test('what one operator has written is read by all, again and again, and replaces what was there', async (fx) => {
    const [one, two] = [await notes(fx), await notes(fx)];
    assert.deepEqual(await fx.outcome(one.change((before) => [...before, 'a'])), ['a']);
    assert.deepEqual(await fx.outcome(two.read()), ['a']);
    await fx.outcome(two.change((before) => [...before, 'b']));
    assert.deepEqual(await fx.outcome(one.read()), ['a', 'b']);
    assert.deepEqual(await fx.outcome(one.read()), ['a', 'b']);
    assert.equal((await fx.foreign.take(fx.names.groups)).length, 1);
  });

  test('reading declares nothing', async (fx) => {
    const { session } = await fx.port();
    assert.deepEqual(await fx.outcome((await notes(fx)).read()), []);
    assert.equal(await session.inspect(fx.names.groups), undefined);
  });

  test('of changes at once none is lost', async (fx) => {
    const operators = [await notes(fx), await notes(fx), await notes(fx)];
    const names = Array.from({ length: 9 }, (_, index) => `note ${index}`);
    const changing = names.map((name, index) =>
      operators[index % operators.length]?.change((before) => [...before, name]),
    );
    await fx.outcome(Promise.all(changing));
    assert.deepEqual((await fx.outcome((await notes(fx)).read())).toSorted(), names);
  });

  test('whoever changes it keeps the others waiting until what is done afterwards is done', async (fx) => {
    const [one, two] = [await notes(fx), await notes(fx)];
    await fx.outcome(one.change(() => ['none']));
    const told = deferred<void>();
    const first = one.change(
      () => ['first'],
      () => told.promise,
    );
    await fx.eventually(async () => assert.deepEqual(await two.read(), ['first']));
    let isChanged = false;
    const second = two.change((before) => {
      isChanged = true;
      return [...before, 'second'];
    });
    assert.equal(isChanged, false);
    told.resolve();
    await fx.outcome(first);
    assert.deepEqual(await fx.outcome(second), ['first', 'second']);
  });

  test('a change that throws leaves what was there, and lets the next one change it', async (fx) => {
    const kept = await notes(fx);
    await fx.outcome(kept.change(() => ['a']));
    const failed = kept.change(() => {
      throw new Error('no');
    });
    await assert.rejects(fx.outcome(failed), /^Error: no$/);
    assert.deepEqual(await fx.outcome(kept.change((before) => [...before, 'b'])), ['a', 'b']);
  });

  test('a change that changes nothing writes nothing', async (fx) => {
    const kept = await notes(fx);
    await fx.outcome(kept.change(() => ['a']));
    const published: string[] = [];
    fx.trace.onPublish = (message) => published.push(message.to);
    assert.deepEqual(await fx.outcome(kept.change((before) => before)), ['a']);
    assert.deepEqual(published, []);
  });

  test('what another program has put there is neither read nor overwritten, and the error names its queue', async (fx) => {
    const kept = await notes(fx);
    await fx.outcome(kept.change(() => ['a']));
    for (const body of ['{"not":"notes"}', 'no json', JSON.stringify(['x'.repeat(513 * 1024)])]) {
      await fx.foreign.publish({ exchange: '', routingKey: fx.names.groups, body });
      const isRefused = (error: unknown) =>
        error instanceof KeptDocumentError && error.message.includes(`'${fx.names.groups}'`);
      await assert.rejects(fx.outcome(kept.read()), isRefused);
      await assert.rejects(fx.outcome(kept.change(() => ['b'])), isRefused);
      const [found] = await fx.foreign.take(fx.names.groups);
      assert.equal(found?.body.toString(), body);
    }
  });

  test('what can be taken for nothing is overwritten', async (fx) => {
    const kept = await notes(fx, []);
    await fx.outcome(kept.change(() => ['a']));
    await fx.foreign.publish({ exchange: '', routingKey: fx.names.groups, body: '7' });
    assert.deepEqual(await fx.outcome(kept.change((before) => [...before, 'b'])), ['b']);
  });

  test('a document of more than half a megabyte is refused, and the one before stays', async (fx) => {
    const kept = await notes(fx);
    await fx.outcome(kept.change(() => ['a']));
    await assert.rejects(
      fx.outcome(kept.change(() => ['x'.repeat(513 * 1024)])),
      (error) => error instanceof KeptDocumentError && /524288 is the most/.test(error.message),
    );
    assert.deepEqual(await fx.outcome(kept.read()), ['a']);
  });
};
