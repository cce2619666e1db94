import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { BusOptions } from '../../src/bus/options.js';
import {
  defineMessage,
  InvalidMessageError,
  type KeyProvider,
  type MessageContext,
  OptionsError,
  staticKeys,
} from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { type BusFixture, ours, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const SECRET = 'the patient is 42 and has a cough';
const keys = { k1: randomBytes(32), k2: randomBytes(32) };
const provider = (current: keyof typeof keys = 'k1', ...known: (keyof typeof keys)[]): KeyProvider =>
  staticKeys({ current, keys: Object.fromEntries([current, ...known].map((id) => [id, keys[id]])) });
const encryption = { keys: provider() };

/** As one that has to ask elsewhere. */
const asking = (inner: KeyProvider): KeyProvider => ({
  current: async () => inner.current(),
  find: async (id) => inner.find(id),
});

const sealed = defineMessage<string>('patient.seen', undefined, { encrypted: true });

/** A queue that hears all, and nobody consumes. */
async function lookout(fx: BusFixture, options: Partial<BusOptions> = {}): Promise<void> {
  const bus = fx.bus('lookout', options).handle('#', () => {});
  await bus.start();
  await fx.stop(bus);
}

export const encrypted: Theme = (test) => {
  for (const [how, keysOf] of [
    ['keys that are there', (its: KeyProvider) => its],
    ['keys that have to be asked for', asking],
  ] as const)
    test(`what is encrypted is opaque in the broker, and its handler gets it plain, with ${how}`, async (fx) => {
      await lookout(fx);
      const seen = fx.recorder();
      const bus = fx.bus('clinic', { encryption: { keys: keysOf(provider()) } });
      await bus.handle(sealed, seen.handle, { encrypted: true }).start();
      await bus.publish(sealed, SECRET, { headers: { mine: 'kept' }, correlationId: 'c' });
      await bus.send('patient.seen', SECRET, { encrypted: true, delay: '100ms' });
      await bus.publishMany(sealed, [SECRET]);
      await bus.publish('patient.seen', 'plain for all');
      await fx.eventually(() => assert.deepEqual(seen.payloads, [SECRET, SECRET, SECRET]));
      assert.equal(seen.at(0).context.headers.mine, 'kept');
      assert.equal(seen.at(0).context.correlationId, 'c');
      const taken = await fx.taken(fx.name('lookout'), 4);
      const bodies = taken.map(({ body }) => body.toString('latin1'));
      assert.deepEqual(
        bodies.filter((body) => body.includes('patient')),
        [],
      );
      const opaque = taken.filter(({ properties }) => properties.headers[HEADER.encrypted] !== undefined);
      assert.equal(opaque.length, 3);
      for (const { properties, body } of opaque) {
        assert.equal(properties.contentType, 'application/octet-stream');
        assert.equal(body.length, JSON.stringify(SECRET).length + 28);
        assert.deepEqual(JSON.parse(String(ours({ properties }).encrypted)), {
          v: 1,
          alg: 'A256GCM',
          kid: 'k1',
          type: 'application/json',
        });
      }
      assert.equal(new Set(opaque.map(({ body }) => body.subarray(0, 12).toString('hex'))).size, 3);
      assert.equal(ours(await fx.deadLetter(fx.name('clinic'))).reason, 'undecodable');
    });

  test('retries, dead letters, exports and replays carry it as it is, and it is never plain on the way', async (fx) => {
    let mended = false;
    const seen = fx.recorder(({ payload }) => {
      assert.equal(payload, SECRET);
      if (!mended) throw new Error('not yet');
    });
    const bus = fx
      .bus('clinic', { encryption })
      .handle('patient.#', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const desk = await fx.failures('clinic');
    await bus.publish(sealed, SECRET, { delay: '100ms' });
    const isDead = () => fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    await isDead();
    assert.deepEqual(seen.attempts, [1, 2]);
    const [letter] = await desk.get('');
    assert.equal(letter?.encryptedWith, 'k1');
    assert.ok(!letter?.body.toString('latin1').includes('patient'));

    await fx.outcome(desk.retry({}));
    await isDead();
    assert.deepEqual(seen.attempts, [1, 2, 1, 2]);

    const lines: string[] = [];
    for await (const line of desk.export({})) lines.push(line);
    assert.ok(!lines.join().includes(Buffer.from(SECRET).toString('base64').slice(0, 20)));
    await desk.forget({});
    await desk.import(lines);
    mended = true;
    await fx.outcome(desk.retry({}, { to: 'republish' }));
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
  });

  test('a step that is refused is an error, and a promise of another step is nobody the process has to end for', async (fx) => {
    const sender = await fx.publisher({ encryption, stores: memoryStores(fx.harness.clock) });
    const late = {
      validate: async () => ({ issues: [{ message: 'no' }] }),
      version: 1,
      vendor: 'test',
    } as const;
    const slow = { definition: defineMessage('slow', { '~standard': late }), payload: 1 };
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const wrong = { key: 'wrong.*', payload: 1 };
      await assert.rejects(sender.batch([[slow, wrong]]).dispatch(), InvalidMessageError);
      await assert.rejects(sender.chain([slow, wrong]).dispatch(), InvalidMessageError);
      await new Promise(setImmediate);
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('a body can not be given to another message: not under another id, not under another key', async (fx) => {
    await lookout(fx);
    const seen = fx.recorder();
    const bus = fx.bus('clinic', { encryption }).handle('patient.*', seen.handle, { queue: fx.name('q') });
    await bus.start();
    await bus.publish(sealed, SECRET, { messageId: 'one' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const [taken] = await fx.taken(fx.name('lookout'), 1);
    const { body, properties } = taken as NonNullable<typeof taken>;
    const forge = async (routingKey: string, changed: object, bytes = body) => {
      await fx.foreign.publish({
        exchange: fx.events,
        routingKey,
        body: bytes,
        properties: { ...properties, ...changed },
      });
      const letter = await fx.deadLetter(fx.name('q'));
      assert.equal(ours(letter).reason, 'undecodable');
      assert.match(String(ours(letter).error), /^UndecodableError: the message can't be decrypted/);
    };
    await forge('patient.seen', { messageId: 'two' });
    await forge('patient.paid', {});
    await forge(
      'patient.seen',
      {},
      Buffer.concat([body.subarray(0, -1), Buffer.from([(body.at(-1) as number) ^ 1])]),
    );
    await forge('patient.seen', {}, body.subarray(0, 20));
    const header = JSON.parse(String(properties.headers[HEADER.encrypted]));
    for (const its of [{ ...header, type: 'text/plain' }, { ...header, v: 2 }, { ...header, kid: '' }, []])
      await forge('patient.seen', { headers: { [HEADER.encrypted]: JSON.stringify(its) } });
    await forge('patient.seen', { messageId: undefined });
    assert.equal(seen.calls.length, 1);
    // As it was, it is taken: that is a duplicate, which its id tells.
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'patient.seen', body, properties });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [SECRET, SECRET]));
  });

  test('keys are rotated while messages wait; one whose key is not known comes back, and waits in the dead letters', async (fx) => {
    const seen = fx.recorder();
    const old = fx.bus('publisher', { encryption: { keys: provider('k1') } });
    const rotated = fx.bus('publisher', { encryption: { keys: provider('k2') } });
    const find = { k1: keys.k1 } as Partial<typeof keys>;
    const growing = { current: () => ({ id: 'k1', key: keys.k1 }), find: (id: string) => find[id as 'k1'] };
    const bus = fx
      .bus('clinic', { encryption: { keys: growing }, unhandledRetryFor: '3s' })
      .handle(sealed, seen.handle);
    const released = watch(bus, 'message.released');
    for (const each of [old, rotated, bus]) await each.start();
    await old.publish(sealed, 'by k1');
    await rotated.publish(sealed, 'by k2');
    await fx.eventually(() => assert.equal(released.length, 1));
    find.k2 = keys.k2;
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['by k1', 'by k2']));
    assert.deepEqual(seen.attempts, [1, 1]);
    delete find.k2;
    await rotated.publish(sealed, 'lost and found');
    const desk = await fx.failures('clinic');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1), { timeout: 30_000 });
    const [letter] = await desk.list();
    assert.equal(letter?.reason, 'undecodable');
    assert.match(String(letter?.error), /^UnknownKeyError: .*'k2'/);
    find.k2 = keys.k2;
    await fx.outcome(desk.retry({}));
    await fx.eventually(() => assert.equal(seen.payloads[2], 'lost and found'));
  });

  test('a service without keys gives an encrypted message back, and then up; it is no try', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('deaf', { unhandledRetryFor: '1ms' }).handle('#', seen.handle);
    await bus.start();
    await (await fx.publisher({ encryption })).publish(sealed, SECRET);
    const letter = await fx.deadLetter(fx.name('deaf'));
    assert.deepEqual([ours(letter).reason, ours(letter).exceptions], ['undecodable', 0]);
    assert.match(String(ours(letter).error), /^UnknownKeyError: the message is encrypted with key 'k1'/);
  });

  test('while the provider fails nothing is published plain, and what comes is held for later', async (fx) => {
    const away = new Error('the vault is sealed');
    let isAway = true;
    const when = <T>(give: () => T): T => {
      if (isAway) throw away;
      return give();
    };
    const inner = provider();
    const flaky: KeyProvider = {
      current: () => when(inner.current),
      find: async (id) => when(() => inner.find(id)),
    };
    const seen = fx.recorder();
    const bus = fx
      .bus('clinic', { encryption: { keys: flaky } })
      .handle(sealed, seen.handle, { retry: { tries: 1 } });
    const released = watch(bus, 'message.released');
    await bus.start();
    await assert.rejects(bus.publish(sealed, SECRET), { code: 'HOPLINE_KEYS_UNAVAILABLE', cause: away });
    await (await fx.publisher({ encryption })).publish(sealed, SECRET);
    await fx.eventually(() => assert.equal(released.length, 1));
    isAway = false;
    await fx.eventually(() => assert.deepEqual(seen.payloads, [SECRET]), { timeout: 20_000 });
    assert.deepEqual(seen.attempts, [1]);
  });

  test('of what its schema refuses no more is told than where it is', async (fx) => {
    const said = (value: unknown) => ({
      issues: [{ message: `'${value}' is no number`, path: ['finding'] }],
    });
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: said } };
    const bus = fx.bus('clinic', { encryption }).handle(defineMessage('patient.seen', schema), () => {});
    await bus.start();
    await bus.publish(sealed, SECRET);
    assert.deepEqual(
      [ours(await fx.deadLetter(fx.name('clinic')))].map(({ reason, error }) => [reason, error]),
      [
        [
          'invalid',
          "PayloadInvalidError: payload of 'patient.seen' is invalid: finding: refused by the schema",
        ],
      ],
    );
  });

  test('what can not work is said before anything is sent', async (fx) => {
    const without = await fx.publisher();
    const withKeys = await fx.publisher({ encryption, maxBodyBytes: 100 });
    const refused = (work: Promise<unknown>, message: RegExp) =>
      assert.rejects(work, (error) => error instanceof OptionsError && message.test(error.message));
    await refused(without.publish(sealed, SECRET), /expected the bus to have encryption/);
    await refused(without.publishMany(sealed, [SECRET]), /expected the bus to have encryption/);
    await refused(without.chain([{ definition: sealed, payload: SECRET }]).dispatch(), /to have encryption/);
    await refused(
      withKeys.publish(sealed, SECRET, { encrypted: false }),
      /'patient.seen' is always encrypted/,
    );
    await refused(withKeys.publishMany(sealed, [SECRET], { pack: 10 }), /either pack or encrypted/);
    const tooLarge = withKeys.publish(sealed, 'x'.repeat(71));
    await assert.rejects(tooLarge, {
      code: 'HOPLINE_MESSAGE_TOO_LARGE',
      message: /is 101 bytes, the cap is 100/,
    });
    await withKeys.publish(sealed, 'x'.repeat(70));
    await refused(
      fx
        .bus('needs')
        .handle(sealed, () => {}, { encrypted: true })
        .start(),
      /takes encrypted messages only, so the bus needs encryption/,
    );
    assert.throws(
      () => defineMessage('a', undefined, { encrypted: true, pack: {} }),
      /expected either pack or encrypted, got both/,
    );
  });

  test('what is unique may be encrypted, and keeps its key', async (fx) => {
    const unique = defineMessage<string>('patient.seen', undefined, { encrypted: true, unique: {} });
    const seen = fx.recorder();
    const sender = await fx.publisher({ encryption });
    const bus = fx.bus('clinic', { encryption }).handle(unique, seen.handle, { encrypted: true });
    await bus.start();
    await sender.send(unique, SECRET, { delay: '1s' });
    await assert.rejects(sender.send(unique, SECRET), { code: 'HOPLINE_NOT_UNIQUE' });
    await fx.eventually(() => assert.deepEqual(seen.payloads, [SECRET]));
  });

  test('one publish of a packed definition that says so is encrypted, and goes alone', async (fx) => {
    const packed = defineMessage<string>('patient.seen', undefined, { pack: { max: 2, within: '1s' } });
    const seen = fx.recorder();
    const bus = fx.bus('clinic', { encryption }).handle(packed, seen.handle, { encrypted: true });
    await bus.start();
    await Promise.all(['a', 'b', 'c'].map((each) => bus.publish(packed, each, { encrypted: true })));
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), ['a', 'b', 'c']));
    assert.equal(new Set(seen.calls.map(({ context }) => context.messageId?.length)).size, 1);
  });

  for (const [how, keysOf] of [
    ['keys that are there', (its: KeyProvider) => its],
    ['keys that have to be asked for', asking],
  ] as const)
    test(`steps of a chain are encrypted in its header, too, and what they pass on; with ${how}`, async (fx) => {
      await lookout(fx);
      const seen = fx.recorder(({ routingKey, context }) => passOn(routingKey, context));
      const keysHere = { encryption: { keys: keysOf(provider()) } };
      const bus = fx.bus('clinic', keysHere).handle('step.#', seen.handle, { encrypted: true });
      const plain = fx.recorder(({ context }) => context.step?.pass({ secret: false }));
      bus.handle('plain.#', plain.handle, { queue: fx.name('plain') });
      await bus.start();
      const step = (key: string) => ({ key, payload: SECRET, encrypted: true });
      await bus
        .chain([step('step.a'), step('step.b'), { key: 'plain.c', payload: 'plain' }, step('step.d')])
        .onFailure(step('step.failed'))
        .dispatch();
      await fx.eventually(() =>
        assert.deepEqual(seen.keys, ['step.a', 'step.b', 'step.added', 'step.d', 'step.failed']),
      );
      for (const payload of seen.payloads) assert.equal(payload, SECRET);
      const results = [...seen.calls, ...plain.calls].map(({ context }) => context.step?.result);
      assert.deepEqual(results, [
        undefined,
        { of: SECRET },
        { of: SECRET },
        { secret: false },
        undefined,
        { of: SECRET },
      ]);

      await fx.deadLetter(fx.name('clinic'));
      const taken = await fx.taken(fx.name('lookout'), 6);
      const told = JSON.stringify(taken.map(({ body, properties }) => [body.toString('latin1'), properties]));
      assert.ok(told.includes('encryptedResult'));
      for (const form of [SECRET, Buffer.from(JSON.stringify(SECRET)).toString('base64').slice(0, 24)])
        assert.ok(!told.includes(form), told);
    });

  for (const [how, keysOf] of [
    ['keys that are there', (its: KeyProvider) => its],
    ['keys that have to be asked for', asking],
  ] as const)
    test(`jobs of a batch are encrypted, and what is sent for it, in its store, too; with ${how}`, async (fx) => {
      await lookout(fx);
      const stores = memoryStores(fx.harness.clock);
      const seen = fx.recorder(({ context }) => {
        if (context.batch?.number === 1) context.fail('no');
      });
      const bus = fx.bus('clinic', { encryption: { keys: keysOf(provider()) }, stores });
      await bus.handle('#', seen.handle, { encrypted: true }).start();
      const step = (key: string) => ({ key, payload: SECRET, encrypted: true });
      const batch = bus
        .batch([step('job.a'), step('job.b'), [step('job.c'), step('job.d')]])
        .allowFailures()
        .onProgress(step('news.progress'))
        .onSuccess(step('news.then'))
        .onEnd(step('news.finally'));
      await batch.dispatch();
      const keysSeen = () => new Set(seen.keys.filter((key) => key !== 'news.progress'));
      const all = ['job.a', 'job.b', 'job.c', 'job.d', 'news.finally', 'news.then'];
      await fx.eventually(() => assert.deepEqual([...keysSeen()].toSorted(), all));
      for (const payload of seen.payloads) assert.equal(payload, SECRET);
      assert.ok(seen.keys.includes('news.progress'));

      const kept = String(await stores.batches?.notifications(batch.id));
      // The last that is sent: all others have been in the queue before.
      const taken: Awaited<ReturnType<typeof fx.foreign.take>> = [];
      await fx.eventually(async () => {
        taken.push(...(await fx.foreign.take(fx.name('lookout'))));
        assert.ok(taken.some(({ routingKey }) => routingKey === 'news.finally'));
      });
      const told = JSON.stringify(taken.map(({ body, properties }) => [body.toString('latin1'), properties]));
      for (const form of [SECRET, Buffer.from(JSON.stringify(SECRET)).toString('base64').slice(0, 24)])
        assert.ok(!(told + kept).includes(form));

      const desk = await fx.failuresWith({ encryption }, 'clinic');
      await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
      const [letter] = await desk.get('');
      assert.ok(letter);
      assert.equal((await desk.decrypted(letter)).toString(), JSON.stringify(SECRET));
    });

  test('what is sent for a batch can not be made something else that is sent for it', async (fx) => {
    await lookout(fx);
    const seen = fx.recorder();
    const stores = memoryStores(fx.harness.clock);
    const bus = fx.bus('clinic', { encryption, stores }).handle('#', seen.handle, { encrypted: true });
    await bus.start();
    const job = { key: 'job', payload: SECRET, encrypted: true };
    await bus.batch([job]).onSuccess({ key: 'news', payload: SECRET, encrypted: true }).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['job', 'news']));
    const then = (await fx.taken(fx.name('lookout'), 2)).find(({ routingKey }) => routingKey === 'news');
    assert.ok(then);
    const { body, properties } = then;
    const mark = JSON.parse(String(properties.headers[HEADER.batch]));
    const forge = (batch: object) => {
      const headers = { ...properties.headers, [HEADER.batch]: JSON.stringify(batch) };
      const forged = { ...properties, headers };
      return fx.foreign.publish({ exchange: fx.events, routingKey: 'news', body, properties: forged });
    };
    for (const other of [{ news: 'catch' }, { id: 'another' }]) {
      await forge({ ...mark, ...other });
      assert.equal(ours(await fx.deadLetter(fx.name('clinic'))).reason, 'undecodable');
    }
    assert.equal(seen.calls.length, 2);
  });

  test('a dead letter of a chain is decrypted for who has the key, and goes on when replayed', async (fx) => {
    let mended = false;
    const seen = fx.recorder(({ context }) => {
      if (!mended) context.fail('not yet');
    });
    const bus = fx.bus('clinic', { encryption }).handle('step.#', seen.handle, { encrypted: true });
    await bus.start();
    const steps = ['step.a', 'step.b'].map((key) => ({ key, payload: SECRET, encrypted: true }));
    await bus.chain(steps).dispatch();
    const desk = await fx.failures('clinic');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    const [letter] = await desk.get('');
    assert.ok(letter);
    await assert.rejects(desk.decrypted(letter), { code: 'HOPLINE_UNKNOWN_KEY' });
    mended = true;
    await fx.outcome(desk.retry({}));
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.a', 'step.b']));
  });

  test('a chain can not be put around an encrypted message that is of none', async (fx) => {
    await lookout(fx);
    const bus = fx.bus('clinic', { encryption }).handle(sealed, () => {}, { queue: fx.name('q') });
    await bus.start();
    await bus.publish(sealed, SECRET);
    const [taken] = await fx.taken(fx.name('lookout'), 1);
    const { body, properties } = taken as NonNullable<typeof taken>;
    const chain = JSON.stringify({ v: 1, id: properties.messageId, number: 1, rest: [] });
    const headers = { ...properties.headers, [HEADER.chain]: chain };
    await fx.foreign.publish({
      ...{ exchange: fx.events, routingKey: 'patient.seen', body },
      properties: { ...properties, headers },
    });
    assert.equal(ours(await fx.deadLetter(fx.name('q'))).reason, 'undecodable');
  });
};

/** What the handler of each step does with the rest of its chain. */
function passOn(routingKey: string, context: MessageContext): void {
  const { step } = context;
  if (routingKey === 'step.d') context.fail('no');
  if (routingKey === 'step.b') step?.prepend({ key: 'step.added', payload: SECRET, encrypted: true });
  if (['step.a', 'step.b', 'step.added'].includes(routingKey)) step?.pass({ of: SECRET });
}
