import assert from 'node:assert/strict';
import { PublishRejectedError, UnroutableError } from '../../../src/errors.js';
import { type Bench, exchange, openBench, outgoing, quorum } from './support.js';

describe('the memory broker routes', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(() => bench.close());

  it('by pattern on a topic exchange, by equality on a direct one, and to all on a fanout', async () => {
    await bench.declare({
      exchanges: [exchange('topic'), exchange('direct', 'direct'), exchange('fanout', 'fanout')],
      queues: { words: quorum(), exact: quorum(), all: quorum() },
      bindings: ['topic -> words: order.*.paid', 'direct -> exact: order.#', 'fanout -> all: ignored'],
    });
    await bench.publish('topic/order.7.paid', 'matches');
    await bench.publish('topic/order.7.8.paid', 'does not');
    await bench.publish('direct/order.#', 'equal');
    await bench.publish('direct/order.1', 'no pattern');
    await bench.publish('fanout/whatever', 'everything');
    assert.deepEqual(await bench.drained('words'), ['matches']);
    assert.deepEqual(await bench.drained('exact'), ['equal']);
    assert.deepEqual(await bench.drained('all'), ['everything']);
  });

  it('into a queue once, however many bindings and exchanges lead there', async () => {
    await bench.declare({
      exchanges: [exchange('a'), exchange('b')],
      queues: { q: quorum() },
      bindings: ['a -> q: x.*', 'a -> q: x.#', 'a -> q: x.#', 'a => b: #', 'b -> q: x.y', 'b => a: #'],
    });
    await bench.publish('a/x.y', 'once');
    assert.deepEqual(await bench.drained('q'), ['once']);
  });

  it('from exchange to exchange, through a ring of them as well', async () => {
    await bench.declare({
      exchanges: [exchange('a'), exchange('b'), exchange('c', 'direct')],
      queues: { q: quorum() },
      bindings: ['a => b: *.b', 'b => c: #', 'b => a: #', 'c -> q: a.b'],
    });
    await bench.send('a/a.b', 'two hops');
    assert.deepEqual(await bench.drained('q'), ['two hops']);
    await assert.rejects(bench.send('a/c.b'), UnroutableError);
  });

  it('tells an exchange and a queue of one name apart', async () => {
    await bench.declare({
      exchanges: [exchange('in'), exchange('same')],
      queues: { same: quorum(), behind: quorum() },
      bindings: ['in -> same: k', 'in => same: k', 'same -> behind: k'],
    });
    await bench.publish('in/k', 'both');
    assert.deepEqual(await bench.drained('same'), ['both']);
    assert.deepEqual(await bench.drained('behind'), ['both']);
  });

  it('to the alternate exchange what no binding takes, and only that', async () => {
    await bench.declare({
      exchanges: [
        exchange('main', 'topic', { alternateExchange: 'rest' }),
        exchange('rest', 'fanout'),
        exchange('deaf', 'topic'),
      ],
      queues: { taken: quorum(), rest: quorum() },
      bindings: ['main -> taken: known.#', 'main => deaf: deaf', 'rest -> rest: '],
    });
    await bench.send('main/known.key', 'known');
    await bench.send('main/unknown', 'unknown');
    await assert.rejects(bench.send('main/deaf'), UnroutableError);
    assert.deepEqual(await bench.drained('taken'), ['known']);
    assert.deepEqual(await bench.drained('rest'), ['unknown']);
  });

  it('by queue name on the default exchange', async () => {
    await bench.declare({ queues: { q: quorum() } });
    await bench.send('/q', 'direct');
    await assert.rejects(bench.send('/nobody'), UnroutableError);
    assert.deepEqual(await bench.drained('q'), ['direct']);
  });

  it('nowhere quietly, unless some queue must take the message', async () => {
    await bench.declare({ exchanges: [exchange('e')] });
    await bench.publish('e/nobody');
    const message = { ...outgoing('e/nobody', '', { messageId: 'm-1' }), mustRoute: true };
    await assert.rejects(bench.session.publish(message), (error: UnroutableError) => {
      assert.ok(error instanceof UnroutableError);
      assert.deepEqual([error.exchange, error.routingKey, error.messageId], ['e', 'nobody', 'm-1']);
      return true;
    });
  });

  it('nothing on an exchange that does not exist: the publish is rejected', async () => {
    await assert.rejects(bench.publish('missing/key'), (error: Error) => {
      assert.ok(error instanceof PublishRejectedError);
      assert.match(error.message, /NOT_FOUND - no exchange 'missing' in vhost '\/'/);
      return true;
    });
  });
});
