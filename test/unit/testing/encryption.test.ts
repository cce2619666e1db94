import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Bus, defineMessage, type KeyProvider, staticKeys } from '../../../src/index.js';
import { type TestKit, testKit } from '../../../src/testing/index.js';

const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
const note = defineMessage<string>('note.taken', undefined, { encrypted: true });

describe('encrypted messages in the test kit', () => {
  let kit: TestKit;
  afterEach(() => kit?.stop());

  const payloads = () => kit.published().all.map(({ payload }) => payload);

  it('are published and handled, and the journal shows what is inside', async () => {
    const handled: unknown[] = [];
    const configure = (bus: Bus) =>
      bus.handle('note.*', (payload, { step }) => void handled.push([payload, step?.number]), {
        encrypted: true,
      });
    kit = await testKit({ encryption: { keys }, configure });
    await kit.publish(note, 'alone', { delay: '1h' });
    await kit
      .chain([
        { definition: note, payload: 'first' },
        { definition: note, payload: 'second' },
      ])
      .dispatch();
    await kit.advance('1h');
    assert.deepEqual(handled, [
      ['first', 1],
      ['second', 2],
      ['alone', undefined],
    ]);
    assert.deepEqual(payloads(), ['alone', 'first', 'second']);
    kit.handled(note).assertTimes(3);
  });

  it('are named only, where the key has to be asked for, or is not there', async () => {
    const asking: KeyProvider = { current: async () => keys.current(), find: async (id) => keys.find(id) };
    const handled: unknown[] = [];
    kit = await testKit({
      encryption: { keys: asking },
      configure: (bus) => bus.handle(note, (payload) => void handled.push(payload)),
    });
    await kit.publish(note, 'inside');
    await kit.settled();
    assert.deepEqual(handled, ['inside']);
    assert.deepEqual(payloads(), ["(encrypted with key 'k1')"]);
  });
});
