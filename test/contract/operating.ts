import assert from 'node:assert/strict';
import { TopologyError, UnroutableError } from '../../src/index.js';
import type { DeadLetter, Failures } from '../../src/operate.js';
import { DeadLetterIdError } from '../../src/operate.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { hold } from '../support/port.js';
import type { Theme } from './theme.js';

/** A service whose handler gives up at once, until it is mended. */
async function failing(fx: BusFixture, service = 'mailer', pattern = 'email.#') {
  const state = { mended: false };
  const seen = fx.recorder(({ context }) => {
    if (!state.mended) context.fail(`no: ${context.routingKey}`);
  });
  const bus = fx.bus(service, { concurrency: 1 }).handle(pattern, seen.handle);
  await bus.start();
  return { bus, seen, state };
}

/** Publishes a message for each id, and waits until all are dead. */
async function dead(
  fx: BusFixture,
  bus: { publish(key: string, payload: unknown, options: object): Promise<unknown> },
  ids: string[],
  queue = 'mailer',
) {
  const desk = await fx.failures(queue);
  const before = (await desk.count())[0]?.count ?? 0;
  for (const messageId of ids) await bus.publish('email.welcome', { for: messageId }, { messageId });
  await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, before + ids.length));
  return desk;
}

const idsOf = async (desk: Failures) => (await desk.list()).map(({ id }) => id);

/** Without what no two looks have in common. */
const told = ({ by: _, ...letter }: DeadLetter) => letter;

export const operating: Theme = (test, { realTime }) => {
  test('dead letters are listed with their story, in order, as often as one likes', async (fx) => {
    const { bus } = await failing(fx);
    const desk = await dead(fx, bus, ['a', 'b', 'c']);
    for (let look = 0; look < 3; look += 1) assert.deepEqual(await idsOf(desk), ['a', 'b', 'c']);
    const [first] = await desk.list();
    assert.ok(first);
    const { failedAt, firstAttemptAt, publishedAt, ...rest } = first;
    assert.deepEqual(rest, {
      id: 'a',
      queue: fx.name('mailer'),
      deadQueue: fx.name('mailer.dead'),
      exchange: fx.events,
      routingKey: 'email.welcome',
      reason: 'rejected',
      by: 'hopline',
      error: 'Error: no: email.welcome',
      handler: 'handle',
      version: undefined,
      attempts: 1,
      bytes: 11,
      encryptedWith: undefined,
    });
    assert.ok(failedAt && firstAttemptAt && publishedAt);
    const [whole] = await desk.get('a');
    assert.equal(whole?.body.toString(), '{"for":"a"}');
    assert.match(whole?.stack ?? '', /^Error: no/);
  });

  test('a filter narrows by reason, time and text, and by how many', async (fx) => {
    const { bus } = await failing(fx);
    const desk = await dead(fx, bus, ['a', 'b', 'c', 'd']);
    const ids = async (filter: Parameters<Failures['list']>[0]) =>
      (await desk.list(filter)).map(({ id }) => id);
    assert.deepEqual(await ids({ reason: 'rejected' }), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await ids({ reason: ['exhausted', 'overflow'] }), []);
    assert.deepEqual(await ids({ since: '1h' }), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await ids({ since: new Date(fx.harness.clock.now() + 60_000) }), []);
    assert.deepEqual(await ids({ before: '1h' }), []);
    assert.deepEqual(await ids({ before: new Date(fx.harness.clock.now() + 60_000) }), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await ids({ since: '1h', before: '30m' }), []);
    assert.deepEqual(await ids({ grep: '{"FOR":"b"}' }), ['b']);
    assert.deepEqual(await ids({ grep: /"for":"[cd]"/g }), ['c', 'd']);
    assert.deepEqual(await ids({ limit: 2 }), ['a', 'b']);
    assert.deepEqual(await ids({ ids: ['d', 'a'] }), ['a', 'd']);
    await assert.rejects(desk.list({ reson: 'x' } as object), /unknown option reson, did you mean reason\?/);
  });

  test('a replay goes to the queue it failed in and to no other, as it was published, with all its tries', async (fx) => {
    const { bus, seen, state } = await failing(fx);
    const other = await failing(fx, 'archive');
    other.state.mended = true;
    const desk = await dead(fx, bus, ['a']);
    await fx.eventually(() => assert.equal(other.seen.calls.length, 1));
    state.mended = true;
    assert.deepEqual(await desk.retry(['a']), { done: 1, failed: [], gone: 0, left: 0 });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const { context, payload } = seen.at(1);
    assert.deepEqual(payload, { for: 'a' });
    assert.deepEqual(
      [context.messageId, context.attempt, context.exchange, context.routingKey],
      ['a', 1, fx.events, 'email.welcome'],
    );
    assert.deepEqual(Object.keys(context.headers), []);
    assert.deepEqual(await idsOf(desk), []);
    assert.equal(other.seen.calls.length, 1);
  });

  test('a republished dead letter goes to every subscriber again', async (fx) => {
    const { bus, seen, state } = await failing(fx);
    const other = await failing(fx, 'archive');
    other.state.mended = true;
    const desk = await dead(fx, bus, ['a']);
    state.mended = true;
    assert.equal((await desk.retry({}, { to: 'republish' })).done, 1);
    await fx.eventually(() => assert.deepEqual([seen.calls.length, other.seen.calls.length], [2, 2]));
    const { context } = seen.at(1);
    assert.deepEqual(
      [context.exchange, context.routingKey, context.attempt],
      [fx.events, 'email.welcome', 1],
    );
  });

  test('properties that would have acted on the way are put back by a replay, and a CC by a republish only', async (fx) => {
    const { bus, seen } = await failing(fx);
    const copied = fx.recorder();
    const copies = fx.bus('copies').handle('copy', copied.handle);
    await copies.start();
    const desk = await fx.failures('mailer');
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'email.x',
      body: '1',
      properties: { messageId: 'm', expiration: '600000', headers: { CC: ['copy'], mine: 'yes' } },
    });
    await fx.eventually(async () => assert.deepEqual(await idsOf(desk), ['m']));
    const [letter] = await desk.get('m');
    assert.equal(letter?.properties.expiration, '600000');
    assert.deepEqual(letter && { ...letter.headers }, { mine: 'yes', CC: ['copy'] });
    await bus.stop();
    const port = await fx.port();
    await desk.retry(['m']);
    const queue = await port.consume('mailer', hold);
    await fx.eventually(() => assert.equal(queue.deliveries.length, 1));
    const { properties } = queue.at(0);
    assert.equal(properties.expiration, '600000');
    assert.equal(properties.headers.CC, undefined);
    assert.equal(properties.headers.mine, 'yes');
    assert.deepEqual(
      Object.keys(properties.headers).filter((name) =>
        /^hopline-(reason|error|stack|attempt|queue|failed)/.test(name),
      ),
      [],
    );
    assert.equal(seen.calls.length, 1);
    await queue.consumer.close();
  });

  test('what the broker gave up is shown with its reason, and replayed like any other', async (fx) => {
    const { bus, seen, state } = await failing(fx);
    await fx.stop(bus);
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'email.late',
      body: '"late"',
      properties: { expiration: '100' },
    });
    const desk = await fx.failures('mailer');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    const [letter] = await desk.list();
    assert.match(letter?.id ?? '', /^anon-[0-9a-f]{20}$/);
    assert.deepEqual(
      [letter?.reason, letter?.by, letter?.exchange, letter?.routingKey, letter?.queue, letter?.attempts],
      ['expired', 'broker', fx.events, 'email.late', fx.name('mailer'), undefined],
    );
    assert.equal((await desk.list())[0]?.id, letter?.id);
    assert.equal((await desk.get(letter?.id.slice(0, 9) ?? ''))[0]?.properties.expiration, '100');
    state.mended = true;
    const again = fx.bus('mailer').handle('email.#', seen.handle);
    await again.start();
    await desk.retry({});
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['late']));
  });

  test('a delayed send that nobody took lies in the lost queue, and is replayed through its exchange', async (fx) => {
    const bus = await fx.publisher();
    await bus.send('report.build', { id: 1 }, { delay: '100ms', messageId: fx.name('lost') });
    const desk = await fx.failures('lost');
    const mine = { grep: fx.name('lost') };
    await fx.eventually(async () => assert.equal((await desk.list(mine)).length, 1));
    const [letter] = await desk.list(mine);
    assert.deepEqual(
      [letter?.queue, letter?.reason, letter?.exchange, letter?.routingKey],
      [undefined, 'unroutable', fx.events, 'report.build'],
    );
    const { failed } = await desk.retry(mine);
    assert.ok(failed[0]?.error instanceof UnroutableError, 'still nobody takes it');
    const seen = fx.recorder();
    await fx.bus('reports').handle('report.#', seen.handle).start();
    assert.equal((await desk.retry(mine)).done, 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ id: 1 }]));
    assert.equal((await desk.list(mine)).length, 0);
  });

  test('what can not be replayed stays, in its place, and the rest goes on', async (fx) => {
    const { bus, state } = await failing(fx);
    const desk = await dead(fx, bus, ['a']);
    await fx.foreign.publish({
      exchange: fx.events.replace('events', 'dead'),
      routingKey: fx.name('mailer'),
      body: '1',
      properties: {
        messageId: 'b',
        headers: {
          'hopline-queue': fx.name('mailer'),
          'hopline-reason': 'exhausted',
          'hopline-exchange': fx.events,
          'hopline-routing-key': 'nobody.takes.this',
        },
      },
    });
    const more = await dead(fx, bus, ['c']);
    assert.deepEqual(await idsOf(more), ['a', 'b', 'c']);
    state.mended = true;
    const { done, failed } = await desk.retry({}, { to: 'republish' });
    assert.equal(done, 2);
    assert.deepEqual(
      failed.map(({ id, error }) => [id, error.name]),
      [['b', 'UnroutableError']],
    );
    assert.deepEqual(await idsOf(desk), ['b']);
  });

  test('a replay to a queue that is gone is refused, before the lost queue could take it', async (fx) => {
    const { bus } = await failing(fx);
    const desk = await dead(fx, bus, ['a']);
    await fx.foreign.publish({
      exchange: fx.events.replace('events', 'dead'),
      routingKey: fx.name('mailer'),
      body: '1',
      properties: { messageId: 'b', headers: { 'hopline-queue': fx.name('vanished') } },
    });
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    const { failed } = await desk.retry(['b']);
    assert.ok(failed[0]?.error instanceof TopologyError);
    assert.match(failed[0]?.error.message, /there is no queue '.*vanished'/);
    assert.deepEqual(await idsOf(desk), ['a', 'b']);
  });

  test('ids may be shortened as long as they name one, and duplicates of one id go together', async (fx) => {
    const { bus } = await failing(fx);
    const desk = await dead(fx, bus, ['aa-1', 'aa-2', 'b', 'b']);
    await assert.rejects(desk.get('a'), (error) => {
      assert.ok(error instanceof DeadLetterIdError);
      assert.deepEqual(error.candidates, ['aa-1', 'aa-2']);
      return true;
    });
    await assert.rejects(desk.forget(['zz']), /no dead letter has the id 'zz'/);
    assert.deepEqual(await idsOf(desk), ['aa-1', 'aa-2', 'b', 'b']);
    assert.equal((await desk.get('b')).length, 2);
    assert.equal((await desk.forget(['b'])).done, 2);
    assert.deepEqual(await idsOf(desk), ['aa-1', 'aa-2']);
    assert.equal(await desk.flush(fx.name('mailer')), 2);
    assert.deepEqual(await idsOf(desk), []);
  });

  test('an export that is flushed and imported again is what it was, byte for byte', async (fx) => {
    const { bus } = await failing(fx);
    const desk = await dead(fx, bus, ['a']);
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'email.raw',
      body: Buffer.from([0, 255, 254, 10, 13, 128]),
      properties: {
        messageId: 'raw',
        contentType: 'application/json',
        priority: 3,
        expiration: '600000',
        headers: {
          at: new Date(1_700_000_000_000),
          bytes: Buffer.from([1, 2]),
          table: { $date: 'no' },
          list: [1, null],
        },
      },
    });
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    const before = [...(await desk.get('a')), ...(await desk.get('raw'))].map(told);
    const lines: string[] = [];
    for await (const line of desk.export()) lines.push(line);
    assert.equal(lines.length, 2);
    assert.deepEqual(await idsOf(desk), ['a', 'raw']);
    await desk.flush(fx.name('mailer'));
    const { done, failed } = await desk.import([lines[0] ?? '', '', '{"v":2}', lines[1] ?? '', 'nonsense']);
    assert.equal(done, 2);
    assert.deepEqual(
      failed.map(({ line, error }) => [line, error.name]),
      [
        [3, 'InvalidMessageError'],
        [5, 'InvalidMessageError'],
      ],
    );
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    assert.deepEqual([...(await desk.get('a')), ...(await desk.get('raw'))].map(told), before);
  });

  test('a rate is kept, and what is stopped half way leaves the rest', async (fx) => {
    const { bus, seen, state } = await failing(fx);
    const ids = Array.from({ length: 30 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    const desk = await dead(fx, bus, ids);
    state.mended = true;
    const stopping = new AbortController();
    const startedAt = fx.harness.clock.monotonic();
    const onProgress = ({ done }: { done: number }) => {
      if (done === 20) stopping.abort();
    };
    const result = await fx.outcome(
      desk.retry({ ids }, { rate: '50/s', onProgress, signal: stopping.signal }),
    );
    const tookMs = fx.harness.clock.monotonic() - startedAt;
    assert.ok(tookMs >= 19 * 20 - (realTime ? 5 : 0), `20 at 50 a second took ${tookMs} ms`);
    // What a busy broker had not confirmed yet when it was told to stop is done all the same.
    const { done } = result;
    assert.ok(realTime ? done >= 20 && done < 30 : done === 20, `${done} are done`);
    assert.deepEqual([result.left, result.gone], [30 - done, 0]);
    assert.deepEqual(await idsOf(desk), ids.slice(done));
    await fx.eventually(() => assert.equal(seen.calls.length, 30 + done));
    assert.deepEqual(
      seen.calls.slice(30).map(({ context }) => context.messageId),
      ids.slice(0, done),
    );
  });

  test('a queue keeps its order through looks that end early and replays that stop or fail, however long it is', async (fx) => {
    const { bus, state } = await failing(fx);
    const desk = await dead(fx, bus, ['seed']);
    let seed = '';
    for await (const line of desk.export()) seed = line;
    await desk.flush(fx.name('mailer'));
    const ids = Array.from({ length: 2_500 }, (_, index) => `m${String(index).padStart(4, '0')}`);
    const lines = ids.map((id) => {
      const letter = JSON.parse(seed);
      letter.properties.messageId = id;
      letter.exchange = fx.events;
      letter.routingKey = 'nobody.takes.this';
      return JSON.stringify(letter);
    });
    assert.deepEqual(await desk.import(lines), { done: 2_500, failed: [] });
    await fx.eventually(async () => assert.deepEqual(await idsOf(desk), ids));

    assert.equal((await desk.list({ limit: 10 })).length, 10);
    assert.deepEqual(await idsOf(desk), ids, 'after a short list');
    for await (const _first of desk.export()) break;
    assert.deepEqual(await idsOf(desk), ids, 'after an export that was not read to its end');
    const { done, failed } = await desk.retry({}, { to: 'republish' });
    assert.deepEqual([done, failed.length], [0, 2_500], 'more than one channel holds fail');
    assert.deepEqual(await idsOf(desk), ids, 'after a replay of which all failed');

    state.mended = true;
    const stopping = new AbortController();
    const onProgress = ({ done: replayed }: { done: number }) => {
      if (replayed === 100) stopping.abort();
    };
    const stopped = await desk.retry({}, { onProgress, signal: stopping.signal });
    assert.equal(stopped.done + stopped.left, 2_500);
    assert.ok(stopped.done >= 100 && stopped.done < 2_000, `${stopped.done} were replayed`);
    assert.deepEqual(await idsOf(desk), ids.slice(stopped.done), 'after a replay that was stopped');
    const forgotten = ids.slice(stopped.done).filter((_, index) => index % 3 === 1);
    assert.equal((await desk.forget(forgotten)).done, forgotten.length);
    const rest = ids.slice(stopped.done).filter((_, index) => index % 3 !== 1);
    assert.deepEqual(await idsOf(desk), rest, 'after every third was forgotten');
  });

  test('what fails again while all are replayed is not replayed again, and what is counted is what was there', async (fx) => {
    const { bus, seen } = await failing(fx);
    const ids = Array.from({ length: 60 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    const desk = await dead(fx, bus, ids);
    const totals = new Set<number>();
    const progress = ({ total }: { total: number }) => totals.add(total);
    const result = await fx.outcome(desk.retry({}, { onProgress: progress }));
    assert.deepEqual(result, { done: 60, failed: [], gone: 0, left: 0 });
    assert.deepEqual([...totals], [60]);
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 60));
    assert.equal(seen.calls.length, 120, 'each once more');
    const again = await fx.outcome(desk.forget({}));
    assert.deepEqual(again, { done: 60, failed: [], gone: 0, left: 0 });
    assert.equal((await desk.count())[0]?.count, 0);
  });

  test('queues that are missing, or were not opened, are errors that name them', async (fx) => {
    const desk = await fx.failures('nothing');
    assert.deepEqual(await desk.count(), [{ deadQueue: fx.name('nothing.dead'), count: undefined }]);
    await assert.rejects(desk.list(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${fx.name('nothing.dead')}'`);
      return true;
    });
    await assert.rejects(desk.list({ queues: ['other'] }), /queue 'other\.dead' was not opened/);
  });
};
