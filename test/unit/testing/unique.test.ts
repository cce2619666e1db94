import assert from 'node:assert/strict';
import { defineMessage, NotUniqueError, OutcomeUnknownError } from '../../../src/index.js';
import { testKit } from '../../../src/testing/index.js';

const sync = defineMessage<{ id: number }>('order.sync', undefined, {
  unique: { by: ({ id }) => String(id) },
});

const newest = defineMessage<number>('order.index', undefined, { unique: { keep: 'last' } });

describe('unique messages in the test kit', () => {
  const kitWith = () =>
    testKit({
      configure: (bus) =>
        bus.handle('order.*', () => {}, { unique: { by: (payload) => JSON.stringify(payload) } }),
    });

  it('are refused, whoever sends them, until the first is handled', async () => {
    await using kit = await kitWith();
    await kit.send(sync, { id: 1 }, { delay: '1m' });
    await assert.rejects(kit.bus.send(sync, { id: 1 }), NotUniqueError);
    await kit.bus.send('order.else', 1, { delay: '1m' });
    await assert.rejects(kit.bus.send('order.else', 1), NotUniqueError);
    await kit.send('order.else', 1);
    await kit.advance('1m');
    kit.handled('order.sync').assertOnce();
    kit.handled('order.else').assertTimes(2);
    await kit.send(sync, { id: 1 });
    await kit.settled();
    kit.handled('order.sync').assertTimes(2);
  });

  it('keep their key when nobody knows whether they are stored, and may be sent again under their id', async () => {
    await using kit = await kitWith();
    const first = { messageId: 'first', delay: '1m' } as const;
    kit.loseConfirm();
    await assert.rejects(kit.bus.send(sync, { id: 1 }, first), OutcomeUnknownError);
    await kit.advance('40s');
    await assert.rejects(
      kit.bus.send(sync, { id: 1 }),
      (error) => error instanceof NotUniqueError && error.holder === 'first',
    );
    await kit.bus.send(sync, { id: 1 }, first);
    await kit.advance('2m');
    kit.handled('order.sync').assertTimes(2);
  });

  it('keep their key through a crash, and give it back when they are handled again', async () => {
    await using kit = await kitWith();
    await kit.crash({ at: 'before-ack' });
    await kit.send(sync, { id: 1 });
    await kit.settled();
    kit.handled('order.sync').assertTimes(2);
    await kit.send(sync, { id: 1 });
    await kit.settled();
    kit.handled('order.sync').assertTimes(3);
  });

  it('of which the newest counts are handled, both, if nobody knows whether the newer one is stored', async () => {
    await using kit = await kitWith();
    await kit.bus.send(newest, 1, { delay: '1m' });
    kit.loseConfirm();
    await assert.rejects(kit.bus.send(newest, 2, { delay: '2m' }), OutcomeUnknownError);
    await kit.advance('3m');
    assert.deepEqual(kit.handled('order.index').payloads, [1, 2]);
  });
});
