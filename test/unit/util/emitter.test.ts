import assert from 'node:assert/strict';
import { Emitter } from '../../../src/util/emitter.js';

interface Catalogue {
  counted: number;
  named: string;
}

describe('the emitter', () => {
  let errors: [string, unknown][];
  let emitter: Emitter<Catalogue>;
  beforeEach(() => {
    errors = [];
    emitter = new Emitter<Catalogue>((name, error) => errors.push([name, error]));
  });

  it('calls the listeners of one event, in their order, before emit returns', () => {
    const heard: string[] = [];
    emitter.on('counted', (count) => heard.push(`first ${count}`));
    emitter.on('counted', (count) => heard.push(`second ${count}`));
    emitter.on('named', (name) => heard.push(name));
    emitter.emit('counted', 7);
    assert.deepEqual(heard, ['first 7', 'second 7']);
  });

  it('reports what a listener throws; neither the other listeners nor the emitting code notice', () => {
    const heard: number[] = [];
    const [error, other] = [new Error('from a listener'), new Error('from another')];
    emitter.on('counted', () => {
      throw error;
    });
    emitter.on('counted', (count) => heard.push(count));
    emitter.on('counted', () => {
      throw other;
    });
    emitter.emit('counted', 1);
    emitter.emit('counted', 2);
    assert.deepEqual(heard, [1, 2]);
    assert.deepEqual(errors, [
      ['counted', error],
      ['counted', other],
      ['counted', error],
      ['counted', other],
    ]);
  });

  it('reports what an async listener rejects with, or whatever it gives that can be awaited', async () => {
    const error = new Error('from an async listener');
    const thenable = Object.defineProperty({}, 'then', {
      get() {
        throw error;
      },
    });
    emitter.on('counted', async () => {
      throw error;
    });
    emitter.on('counted', () => thenable as never);
    emitter.on('counted', async () => {});
    emitter.on('counted', (count) => count);
    emitter.emit('counted', 1);
    await new Promise(setImmediate);
    assert.deepEqual(errors, [
      ['counted', error],
      ['counted', error],
    ]);
  });

  it('knows whether anybody listens, so that events nobody hears need not be built', () => {
    assert.equal(emitter.has('counted'), false);
    const first = emitter.on('counted', () => {});
    const second = emitter.on('counted', () => {});
    assert.equal(emitter.has('counted'), true);
    assert.equal(emitter.has('named'), false);
    first();
    assert.equal(emitter.has('counted'), true);
    second();
    assert.equal(emitter.has('counted'), false);
    emitter.emit('counted', 1);
  });

  it('ends exactly the listening that it is told to end, once', () => {
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    const endFirst = emitter.on('counted', listener);
    emitter.on('counted', listener);
    endFirst();
    endFirst();
    emitter.emit('counted', 1);
    assert.equal(calls, 1, 'the same function, added twice, is two listeners');
  });

  it('lets listeners come and go while it emits: those of the moment of emitting are called', () => {
    const heard: string[] = [];
    const end = emitter.on('counted', (count) => {
      heard.push('first');
      if (count === 1) emitter.on('counted', () => heard.push('newcomer'));
      if (count === 2) endLast();
      if (count === 3) end();
    });
    const endLast = emitter.on('counted', () => heard.push('last'));
    for (const [count, expected] of [
      [1, ['first', 'last']],
      [2, ['first', 'last', 'newcomer']],
      [3, ['first', 'newcomer']],
      [4, ['newcomer']],
    ] as const) {
      heard.length = 0;
      emitter.emit('counted', count);
      assert.deepEqual(heard, expected, `emitted ${count}`);
    }
  });
});
