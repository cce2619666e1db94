import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import type { Connection } from '../../../src/transport/amqp/connection/connection.js';
import { AmqpConsumer } from '../../../src/transport/amqp/consume/consumer.js';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { eventually } from '../../support/eventually.js';

const store = new AsyncLocalStorage<string>();

/** A consumer whose broker answers to consuming when the test says so, as one does whose queue has no leader for a while. */
function open() {
  const asked: string[] = [];
  const channels: EventEmitter[] = [];
  const answers: Deferred<{ consumerTag: string }>[] = [];
  const createChannel = async () => {
    const channel: EventEmitter = Object.assign(new EventEmitter(), {
      prefetch: async (width: number) => void asked.push(`prefetch ${width}`),
      consume: () => {
        asked.push(['consume', store.getStore()].filter(Boolean).join(' in '));
        const answer = deferred<{ consumerTag: string }>();
        answers.push(answer);
        return answer.promise;
      },
      cancel: async (tag: string) => void asked.push(tag === 'tag' ? 'cancel' : `cancel ${tag}`),
      close: async () => void channel.emit('close'),
      connection: { serverProperties: {} },
    });
    channels.push(channel);
    return channel;
  };
  const model = { createChannel, connection: {} } as unknown as ChannelModel;
  const connection = { model, listen() {}, unlisten() {} } as unknown as Connection;
  const ignore = () => {};
  const consumer = new AmqpConsumer(connection, {
    queue: 'q',
    counts: () => true,
    once: false,
    prefetch: 10,
    keptForMs: undefined,
    sink: { deliver: ignore, lost: ignore },
    redeclare: async () => {},
    onStarted: ignore,
    onCancelled: ignore,
    onLost: ignore,
    onRestored: ignore,
    onReopened: ignore,
    onFailed: ignore,
    onClosed: ignore,
  });
  const answer = async () => {
    await eventually(() => assert.equal(answers.length, 1));
    answers.shift()?.resolve({ consumerTag: 'tag' });
  };
  return { consumer, connection, asked, answer, answers, loseChannel: () => channels.at(-1)?.emit('close') };
}

/** Consumes on a second channel, to which the broker has not answered yet. */
async function reopening() {
  const opened = open();
  const starting = opened.consumer.start();
  await opened.answer();
  await starting;
  opened.asked.length = 0;
  opened.loseChannel();
  await eventually(() => assert.deepEqual(opened.asked, ['prefetch 10', 'consume']));
  opened.asked.length = 0;
  return opened;
}

describe('the consumer of a queue', () => {
  it('is consumed in nobody’s context, whoever starts it, or changes its window', async () => {
    const { consumer, asked, answer } = open();
    const starting = store.run('start', () => consumer.start());
    await answer();
    await starting;
    const changing = store.run('a message', () => consumer.setPrefetch(5));
    await answer();
    await changing;
    assert.deepEqual(asked, ['prefetch 10', 'consume', 'cancel', 'prefetch 5', 'consume']);
  });

  it('pauses a channel that is being opened again once it can, and not before has it paused', async () => {
    const { consumer, asked, answer } = await reopening();
    const pausing = consumer.setPrefetch(0);
    let isPaused = false;
    void pausing.then(() => {
      isPaused = true;
    });
    await new Promise(setImmediate);
    assert.equal(isPaused, false);
    await answer();
    await pausing;
    assert.deepEqual(asked, ['cancel']);
    const resuming = consumer.setPrefetch(10);
    await answer();
    await resuming;
    assert.deepEqual(asked, ['cancel', 'prefetch 10', 'consume']);
    await consumer.close();
  });

  it('takes another window that it was given while its channel was being opened again', async () => {
    const { consumer, asked, answer } = await reopening();
    const narrowing = consumer.setPrefetch(1);
    await answer();
    await answer();
    await narrowing;
    assert.deepEqual(asked, ['cancel', 'prefetch 1', 'consume']);
    await consumer.close();
  });

  it('goes on no further when it is cancelled before the broker has answered to consuming', async () => {
    const { consumer, asked, answer } = await reopening();
    await consumer.cancel();
    await answer();
    await eventually(() => assert.deepEqual(asked, ['cancel']));
    await consumer.close();
  });

  it('waits for no answer to a change of its window once it is cancelled', async () => {
    const { consumer, asked, answer } = await reopening();
    const pausing = consumer.setPrefetch(0);
    await consumer.cancel();
    await pausing;
    assert.deepEqual(asked, []);
    await answer();
    await consumer.close();
  });
});
