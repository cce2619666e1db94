import assert from 'node:assert/strict';
import {
  defineRequest,
  type MessageContext,
  NoResponderError,
  RequestTimeoutError,
  StoppedError,
} from '../../../src/index.js';
import { type TestKit, testKit } from '../../../src/testing/index.js';
import { deferred } from '../../../src/util/deferred.js';

const GetQuote = defineRequest<string, number>('quote.get');

describe('requests in the test kit', () => {
  let kit: TestKit;
  afterEach(() => kit?.stop());

  const reply = ({ replyTo, messageId }: MessageContext, value: unknown) =>
    kit.publishRaw(replyTo as string, JSON.stringify(value), {
      exchange: '',
      correlationId: messageId as string,
    });

  it('are replied to, and seen among what was published', async () => {
    kit = await testKit({
      configure: (bus) =>
        bus
          .handle('quote.get', (payload, context) => reply(context, `${payload}`.length))
          .handle('order.placed', async (_payload, context) => {
            await context.publish('order.priced', await context.request(GetQuote, 'coffee'));
          }),
    });
    const quote = kit.request(GetQuote, 'tea');
    await kit.settled();
    assert.equal(await quote, 3);
    await kit.publish('order.placed', {});
    await kit.settled();
    assert.equal(kit.published('order.priced').assertOnce().payload, 6);
    assert.deepEqual(
      kit.published(GetQuote).all.map(({ payload, by }) => [payload, by]),
      [
        ['tea', 'test'],
        ['coffee', 'order.placed'],
      ],
    );
  });

  it('that nobody takes fail, and count as not published', async () => {
    kit = await testKit({ configure: () => {} });
    await assert.rejects(kit.request(GetQuote, 'tea'), NoResponderError);
    assert.deepEqual(kit.published().all, []);
  });

  it('time out when the test moves its time on, and not before', async () => {
    kit = await testKit({ configure: (bus) => bus.handle('quote.get', () => {}) });
    const errors: unknown[] = [];
    kit.request(GetQuote, 'tea', { timeout: '5m' }).catch((error) => errors.push(error));
    await kit.advance('4m');
    assert.equal(errors.length, 0);
    await kit.advance('1m');
    assert.ok(errors[0] instanceof RequestTimeoutError);
  });

  it('of a process that crashes get no reply, and what the test has asked ends with the kit', async () => {
    const ends: unknown[] = [];
    const asked = deferred();
    kit = await testKit({
      configure: (bus) =>
        bus
          .handle('quote.get', () => asked.resolve())
          .handle('order.placed', (_payload, context) => {
            context.request(GetQuote, 'coffee').then(
              (value) => ends.push(value),
              () => ends.push('ended'),
            );
          }),
    });
    await kit.publish('order.placed', {});
    await asked.promise;
    await kit.crash();
    const mine = assert.rejects(kit.request(GetQuote, 'tea'), StoppedError);
    await kit.settled();
    await kit.stop();
    await mine;
    assert.deepEqual(ends, []);
  });
});
