import assert from 'node:assert/strict';
import { HEADER } from '../../src/message/headers.js';
import { encodeReplay } from '../../src/message/wire/replay-header.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { ours } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const MARK = encodeReplay({ id: 'r1' });

/** Puts messages into the queue as a replay does, and hears what workers say of it. */
async function watcher(fx: BusFixture) {
  const { session } = await fx.port();
  const heard: object[] = [];
  const key = 'replay.r1';
  const source = { exchange: fx.names.controlTo, key, queueName: () => `${fx.name('ears')}` };
  const hear = ({ body }: { body: Buffer }) => heard.push(withoutStack(JSON.parse(body.toString())));
  await session.listen(source, { heard: hear, back: () => {} });
  const replay = (messageId: string, mark: string | undefined = MARK) =>
    session.publish({
      to: 'queue',
      queue: fx.name('mailer'),
      body: Buffer.from(JSON.stringify(messageId)),
      properties: {
        messageId,
        contentType: 'application/json',
        headers: { [HEADER.exchange]: fx.events, [HEADER.routingKey]: 'k', [HEADER.replay]: mark },
      },
      mustRoute: true,
      deadlineMs: 10_000,
    });
  return { heard, replay };
}

function withoutStack({ stack, ...report }: { readonly stack?: string }): object {
  if (stack !== undefined) assert.match(stack, /^Error: still broken\n {4}at /);
  return report;
}

export const replays: Theme = (test) => {
  test('a message of a watched replay is tried once, whatever its policy, and its end is told', async (fx) => {
    const seen = fx.recorder(({ context }) => {
      assert.equal(context.tries, 1);
      throw new Error('still broken');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 5, backoff: '100ms' } });
    await bus.start();
    const { heard, replay } = await watcher(fx);
    await replay('m1');
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(seen.attempts, [1]);
    assert.deepEqual([ours(letter).replay, ours(letter).reason], [MARK, 'exhausted']);
    const failure = { reason: 'exhausted', error: 'Error: still broken' };
    const report = { version: 1, messageId: 'm1', end: 'dead-lettered', routingKey: 'k', ...failure };
    const by = { queue: fx.name('mailer'), handler: 'handle' };
    await fx.eventually(() => assert.deepEqual(heard, [{ ...report, ...by }]));
  });

  test('each way in which a watched replay ends is told, and a release is no end', async (fx) => {
    const seen = fx.recorder(({ payload, context }) => {
      const isFirst = seen.payloads.filter((each) => each === payload).length === 1;
      if (payload === 'later' && isFirst) return context.release('100ms');
      if (payload === 'dropped') return context.discard();
      if (payload === 'ruled out') throw new RangeError('not wanted');
    });
    const retry = { tries: 5, on: [{ error: RangeError, then: 'discard' as const }] };
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry });
    await bus.start();
    const { heard, replay } = await watcher(fx);
    for (const id of ['fine', 'later', 'dropped', 'ruled out']) await replay(id);
    await fx.eventually(() => assert.equal(heard.length, 4));
    const told = heard.map((each) => {
      const { messageId, end } = each as { messageId: string; end: string };
      return `${messageId}: ${end}`;
    });
    assert.deepEqual(told.toSorted(), [
      'dropped: discarded',
      'fine: handled',
      'later: handled',
      'ruled out: discarded',
    ]);
    assert.equal(seen.payloads.filter((payload) => payload === 'later').length, 2);
  });

  test('a publisher who forges the mark of a replay gets nothing by it, also on later attempts', async (fx) => {
    const seen = fx.recorder(() => {
      throw new Error('still broken');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const { heard } = await watcher(fx);
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'k',
      body: '"forged"',
      properties: { messageId: 'm', headers: { [HEADER.replay]: MARK } },
    });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(seen.attempts, [1, 2]);
    assert.equal(ours(letter).replay, undefined);
    assert.deepEqual(heard, []);
  });

  test('a mark that this version cannot read leaves a message as it is', async (fx) => {
    const seen = fx.recorder(() => {
      throw new Error('still broken');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const { heard, replay } = await watcher(fx);
    await replay('m', '{"id":"r1"}');
    await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(seen.attempts, [1, 2]);
    assert.deepEqual(heard, []);
  });

  test('what has come back from a watched replay says so, until it is replayed as any other', async (fx) => {
    let isMended = false;
    const seen = fx.recorder(() => {
      if (!isMended) throw new Error('still broken');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const { heard, replay } = await watcher(fx);
    await replay('m');
    const desk = await fx.failures('mailer');
    await fx.eventually(async () => assert.equal((await fx.outcome(desk.get('m')))[0]?.replay, 'r1'));
    const lines: string[] = [];
    for await (const line of desk.export(['m'])) lines.push(line);
    await fx.outcome(desk.forget(['m']));
    await fx.outcome(desk.import(lines));
    assert.equal((await fx.outcome(desk.get('m')))[0]?.replay, 'r1');
    await fx.outcome(desk.retry(['m']));
    await fx.eventually(async () => assert.equal((await fx.outcome(desk.get('m')))[0]?.attempts, 2));
    assert.equal((await fx.outcome(desk.get('m')))[0]?.replay, undefined);
    isMended = true;
    await fx.outcome(desk.retry(['m']));
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    assert.equal(heard.length, 1);
  });
};
