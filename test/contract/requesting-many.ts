import assert from 'node:assert/strict';
import { defineRequest, NoResponderError, ResponderError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { responder } from '../support/responder.js';
import type { Theme } from './theme.js';

const WhoIsThere = defineRequest<string, string>('who.is.there');

export const requestingMany: Theme = (test) => {
  test('a request to many ends with the replies that came in time, in their order, failures among them', async (fx) => {
    const gate = deferred();
    await responder(fx, 'who.is.there', (_payload, say) => say.value('first'), 'one');
    await responder(
      fx,
      'who.is.there',
      async (_payload, say) => {
        await gate.promise;
        await say.failure('Busy', 'not now');
      },
      'two',
    );
    await responder(fx, 'who.is.there', () => {}, 'three');
    const bus = await fx.publisher();
    const replied = watch(bus, 'request.replied');
    const asking = bus.requestMany(WhoIsThere, 'all', { timeout: '1s' });
    // The second reply is behind the first.
    await bus.request(WhoIsThere, 'any');
    gate.resolve();
    const [first, second, ...more] = await fx.outcome(asking);
    assert.deepEqual(first, { status: 'fulfilled', value: 'first' });
    assert.equal(second?.status, 'rejected');
    const { reason } = second as PromiseRejectedResult;
    assert.ok(reason instanceof ResponderError);
    assert.equal(reason.remote.code, 'Busy');
    assert.deepEqual(more, []);
    assert.equal(replied.length, 2);
  });

  test('a request to many ends with as many replies as it wants, and drops the others', async (fx) => {
    const gate = deferred();
    for (const name of ['one', 'two'])
      await responder(fx, 'who.is.there', (_payload, say) => say.value('here'), name);
    await responder(
      fx,
      'who.is.there',
      async (_payload, say) => {
        await gate.promise;
        await say.value('late');
      },
      'three',
    );
    const bus = await fx.publisher();
    const dropped = watch(bus, 'reply.dropped');
    const replies = await bus.requestMany(WhoIsThere, 'all', { count: 2 });
    assert.deepEqual(replies, [
      { status: 'fulfilled', value: 'here' },
      { status: 'fulfilled', value: 'here' },
    ]);
    gate.resolve();
    await fx.eventually(() => assert.equal(dropped.length, 1));
  });

  test('a request to many of which none replies in time ends without a reply; with nobody there it fails at once', async (fx) => {
    const bus = await fx.publisher();
    await assert.rejects(bus.requestMany(WhoIsThere, 'all'), NoResponderError);
    await responder(fx, 'who.is.there', () => {});
    assert.deepEqual(await fx.outcome(bus.requestMany(WhoIsThere, 'all', { timeout: '200ms' })), []);
  });
};
