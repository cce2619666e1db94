import assert from 'node:assert/strict';
import { PublishRejectedError } from '../../../src/errors.js';
import { type Bench, exchange, openBench, quorum, requeue } from './support.js';

const toDead = { 'x-dead-letter-exchange': 'dead' } as const;

describe('a queue of the memory broker with', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    await bench.declare({
      exchanges: [exchange('dead', 'fanout')],
      queues: { dead: quorum() },
      bindings: ['dead -> dead: '],
    });
  });
  afterEach(() => bench.close());

  const reasons = async () =>
    (await bench.taken('dead')).map(
      ({ body, properties }) => `${body} ${properties.headers['x-first-death-reason']}`,
    );

  describe('a time to live', () => {
    it('expires its messages when it is over, and not a millisecond earlier', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 100, ...toDead }) } });
      await bench.publish('/q', 'a');
      await bench.clock.advance(40);
      await bench.publish('/q', 'b');
      await bench.clock.advance(59);
      assert.deepEqual(await reasons(), []);
      await bench.clock.advance(1);
      assert.deepEqual(await reasons(), ['a expired']);
      await bench.clock.advance(40);
      assert.deepEqual(await reasons(), ['b expired']);
      assert.equal(bench.clock.armed, 0);
    });

    it("takes the lower of its own and the message's", async () => {
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 100, ...toDead }) } });
      await bench.publish('/q', 'short', { expiration: '30' });
      await bench.publish('/q', 'long', { expiration: '3000' });
      await bench.clock.advance(30);
      assert.deepEqual(await reasons(), ['short expired']);
      await bench.clock.advance(70);
      assert.deepEqual(await reasons(), ['long expired']);
    });

    it('expires only at the head: a short-lived message waits behind a long-lived one', async () => {
      await bench.declare({ queues: { q: quorum(toDead) } });
      await bench.publish('/q', 'slow', { expiration: '1000' });
      await bench.publish('/q', 'quick', { expiration: '10' });
      await bench.clock.advance(999);
      assert.deepEqual(await reasons(), []);
      await bench.clock.advance(1);
      assert.deepEqual(await reasons(), ['slow expired', 'quick expired']);
    });

    it('does not renew it for what is requeued', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 100, ...toDead }) } });
      const consumer = await bench.consume('q', () => {});
      await bench.publish('/q', 'a');
      await bench.clock.advance(70);
      await consumer.consumer.cancel();
      consumer.deliveries[0]?.requeue();
      await bench.clock.advance(30);
      assert.deepEqual(await reasons(), ['a expired']);
    });

    it('spares what a consumer holds, and goes on counting for the next in line', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 100, ...toDead }) } });
      const consumer = await bench.consume('q', () => {}, 1);
      void bench.publish('/q', 'held');
      void bench.publish('/q', 'waiting', { expiration: '50' });
      await bench.clock.advance(50);
      assert.deepEqual(await reasons(), ['waiting expired']);
      await bench.clock.advance(50);
      assert.deepEqual(consumer.bodies, ['held']);
      assert.equal(consumer.deliveries[0]?.ack(), true);
    });

    it('of zero passes everything straight on, as a landing queue does', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-message-ttl': 0, ...toDead }) } });
      await bench.publish('/q', 'a');
      await bench.clock.settle();
      assert.deepEqual(await reasons(), ['a expired']);
    });
  });

  describe('a delivery limit', () => {
    it('of 3 dead-letters on the fourth delivery that fails', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-delivery-limit': 3, ...toDead }) } });
      const consumer = await bench.consume('q', requeue);
      await bench.publish('/q', 'poison');
      await bench.clock.settle();
      assert.deepEqual(
        consumer.deliveries.map(({ deliveryCount }) => deliveryCount),
        [0, 1, 2, 3],
      );
      assert.deepEqual(await reasons(), ['poison delivery_limit']);
    });

    it('charges every unsettled message when a session dies, guilty or not', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-delivery-limit': 1, ...toDead }) } });
      for (const body of ['a', 'b', 'c']) await bench.publish('/q', body);
      for (let crash = 0; crash < 2; crash += 1) {
        const worker = await bench.sibling();
        await worker.consume('q', () => {}, 2);
        await bench.clock.settle();
        await worker.close();
      }
      assert.deepEqual(await reasons(), ['a delivery_limit', 'b delivery_limit']);
      assert.deepEqual(await bench.drained('q'), ['c']);
    });

    it('drops the message if there is no dead-letter exchange', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-delivery-limit': 0 }) } });
      await bench.consume('q', requeue);
      await bench.publish('/q', 'gone');
      await bench.clock.settle();
      assert.deepEqual(await reasons(), []);
    });
  });

  describe('a maximal length', () => {
    it('drops its oldest to make room, and dead-letters them', async () => {
      await bench.declare({
        queues: { q: quorum({ 'x-max-length': 2, 'x-overflow': 'drop-head', ...toDead }) },
      });
      for (const body of ['1', '2', '3', '4']) await bench.publish('/q', body);
      assert.deepEqual(await reasons(), ['1 maxlen', '2 maxlen']);
      assert.deepEqual(await bench.drained('q'), ['3', '4']);
    });

    it('of zero takes and drops everything, as the sink of the delays does', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-max-length': 0 }) } });
      await bench.send('/q', 'routed');
      assert.deepEqual(await bench.drained('q'), []);
    });

    it('refuses further messages with reject-publish, and tells the publisher', async () => {
      await bench.declare({
        exchanges: [exchange('e', 'fanout')],
        queues: { q: quorum({ 'x-max-length': 1, 'x-overflow': 'reject-publish' }), roomy: quorum() },
        bindings: ['e -> q: ', 'e -> roomy: '],
      });
      await bench.publish('e/k', '1');
      await assert.rejects(bench.publish('e/k', '2'), (error: Error) => {
        assert.ok(error instanceof PublishRejectedError);
        assert.equal(error.message, "the broker refuses 'k' on exchange 'e': queue 'q' is full");
        return true;
      });
      // As in RabbitMQ: one nack, though another queue has the message.
      assert.deepEqual(await bench.drained('roomy'), ['1', '2']);
      assert.deepEqual(await bench.drained('q'), ['1']);
      await bench.publish('e/k', '3');
      assert.deepEqual(await bench.drained('q'), ['3']);
    });

    it('does not count what consumers hold', async () => {
      await bench.declare({ queues: { q: quorum({ 'x-max-length': 1, 'x-overflow': 'reject-publish' }) } });
      const consumer = await bench.consume('q', () => {}, 1);
      await bench.publish('/q', 'held');
      await bench.clock.settle();
      await bench.publish('/q', 'ready');
      await assert.rejects(bench.publish('/q', 'too much'), PublishRejectedError);
      await consumer.consumer.close();
      assert.deepEqual(await bench.drained('q'), ['held', 'ready']);
    });
  });
});
