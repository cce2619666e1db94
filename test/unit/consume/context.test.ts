import assert from 'node:assert/strict';
import { HandlerContext } from '../../../src/consume/attempt/context.js';
import { ContextOutsideMessageError, InvalidMessageError } from '../../../src/errors.js';
import type { BatchSender } from '../../../src/features/batch/context.js';
import type { StepSender } from '../../../src/features/chain/context.js';
import { MessageContext } from '../../../src/message/context.js';
import type { MessageProperties } from '../../../src/message/properties.js';
import type { PublishOptions } from '../../../src/message/publish-options.js';
import type { Sender } from '../../../src/message/publisher.js';
import type { RequestSender } from '../../../src/message/requests/requester.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { systemClock } from '../../../src/util/clock.js';
import type { Logger } from '../../../src/util/logger.js';
import { handler, TestDelivery, workFor } from './fixtures.js';

describe('a message context', () => {
  const its = handler('Orders', ['order.placed']);
  let published: [string, unknown, unknown, PublishOptions | undefined][];
  let logged: [string, object, string][];
  let isStopping = false;
  const batches = {} as BatchSender;
  const steps: StepSender = {
    compose: () => assert.fail('no step was to be added'),
    sealResult: () => assert.fail('nothing was to be encrypted'),
    send: async () => {},
  };

  const context = (
    properties: MessageProperties = {},
    given: ConstructorParameters<typeof TestDelivery>[0] = {},
  ) => {
    published = [];
    logged = [];
    const sender = {
      dispatch: async (...call: unknown[]) => void published.push(call as never),
    } as unknown as Sender;
    const requests = { request: sender.dispatch } as unknown as RequestSender;
    const at = (level: string) => (fields: object, message: string) =>
      void logged.push([level, fields, message]);
    const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    const stopping = {
      get isStopping() {
        return isStopping;
      },
    };
    const bus = {
      service: 'shop',
      sender,
      requests,
      steps,
      batches,
      stores: memoryStores(systemClock),
      clock: systemClock,
      jobs: { progress: () => {} },
      log,
      stopping,
    };
    return new HandlerContext(workFor(its, new TestDelivery({ ...given, properties })), its, bus);
  };

  const decision = ({ recorded }: HandlerContext) => recorded?.kind;

  it('tells what is known of the message', () => {
    const it = context({ messageId: 'm1', timestamp: 1_767_603_600, correlationId: 'c1', headers: { a: 1 } });
    assert.equal(it.messageId, 'm1');
    assert.equal(it.routingKey, 'order.placed');
    assert.equal(it.exchange, 'hopline.events');
    assert.equal(it.queue, 'billing');
    assert.equal(it.attempt, 1);
    assert.equal(it.tries, 5);
    assert.equal(it.redelivered, false);
    assert.equal(it.correlationId, 'c1');
    assert.deepEqual(it.publishedAt, new Date('2026-01-05T09:00:00Z'));
    assert.deepEqual({ ...it.headers }, { a: 1 });
    assert.equal(context().publishedAt, undefined);
  });

  it("publishes and sends with the message's correlation and trace carried on", async () => {
    const headers = { traceparent: '00-1', tracestate: 's', baggage: 'b', secret: 'stays here' };
    const it = context({ messageId: 'm1', correlationId: 'c1', headers });
    await it.publish('order.paid', { id: 1 }, { priority: 3, headers: { mine: 1, baggage: 'other' } });
    await it.send('invoice.print', { id: 1 });
    const carried = { traceparent: '00-1', tracestate: 's', baggage: 'b' };
    assert.deepEqual(published, [
      [
        'publish',
        'order.paid',
        { id: 1 },
        { priority: 3, headers: { ...carried, mine: 1, baggage: 'other' }, correlationId: 'c1' },
      ],
      ['send', 'invoice.print', { id: 1 }, { headers: carried, correlationId: 'c1' }],
    ]);
  });

  it("takes the message's id for a correlation id if it has none, and the caller's before either", async () => {
    const correlation = async (properties: MessageProperties, options?: PublishOptions) => {
      await context(properties).publish('a', {}, options);
      return published[0]?.[3]?.correlationId;
    };
    assert.equal(await correlation({ messageId: 'm1' }), 'm1');
    assert.equal(
      await correlation({ messageId: 'm1', correlationId: 'c1' }, { correlationId: 'mine' }),
      'mine',
    );
    assert.equal(await correlation({}), undefined);
  });

  it('carries on nothing that could not be published: an empty or too long correlation, a trace that is no text', async () => {
    for (const correlationId of ['', '\uFFFD'.repeat(100)]) {
      published.length = 0;
      await context({ messageId: 'm1', correlationId, headers: { traceparent: 7 } }).publish('a', {});
      assert.deepEqual(published[0]?.[3], { headers: {}, correlationId: 'm1' });
    }
  });

  it('decides nothing when its attempt is over, and says so', () => {
    const it = context({ messageId: 'm1' });
    it.phase = 'over';
    it.release('1s');
    it.fail('no');
    it.discard();
    assert.equal(decision(it), undefined);
    assert.deepEqual(
      logged.map(([level, , message]) => [level, String(message).split(':')[0]]),
      ['release', 'fail', 'discard'].map((call) => ['warn', `context.${call}() changes nothing`]),
    );
  });

  it('logs with the fields of the message', () => {
    context({ messageId: 'm1' }).log.warn({ id: 7, queue: 'mine' }, 'odd');
    const about = { handler: 'Orders', routingKey: 'order.placed', messageId: 'm1', attempt: 1 };
    assert.deepEqual(logged, [['warn', { ...about, queue: 'mine', id: 7 }, 'odd']]);
  });

  it('makes its signal when it is first read, and keeps the first reason', () => {
    const it = context();
    const first = new Error('first');
    it.abort(first);
    it.abort(new Error('second'));
    assert.equal(it.signal, it.signal);
    assert.equal(it.signal.aborted, true);
    assert.equal(it.signal.reason, first);

    const read = context();
    const { signal } = read;
    assert.equal(signal.aborted, false);
    read.abort(first);
    assert.equal(signal.reason, first);
  });

  it('refuses a release that is no duration the delays can carry', () => {
    const it = context();
    for (const delay of ['soon', -1, '401d', Number.POSITIVE_INFINITY, Number.NaN, undefined]) {
      assert.throws(() => it.release(delay as never), InvalidMessageError, String(delay));
    }
    assert.equal(decision(it), undefined);
    it.release('400d');
    assert.equal(decision(it), 'release');
  });

  it('keeps the first decision', () => {
    const it = context();
    it.fail('no');
    it.discard();
    it.release('1s');
    assert.equal(decision(it), 'dead-letter');
  });

  it('can not be made by a container outside a message', () => {
    const Token = MessageContext as unknown as new () => MessageContext;
    assert.throws(() => new Token(), ContextOutsideMessageError);
  });

  it('says when it should come to an end: the worker stops, or its own signal has fired', () => {
    const it = context();
    assert.equal(it.shouldStop, false);
    isStopping = true;
    assert.equal(it.shouldStop, true);
    isStopping = false;
    assert.equal(it.shouldStop, false);
    it.abort(new Error('late'));
    assert.equal(it.shouldStop, true);
  });
});
