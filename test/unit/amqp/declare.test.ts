import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { declarePlan } from '../../../src/transport/amqp/topology/declare.js';

const PLAN = {
  exchanges: [{ name: 'e', type: 'topic' }],
  queues: [{ name: 'q', arguments: { 'x-queue-type': 'classic' } }],
  bindings: [{ source: 'e', destination: 'q', destinationType: 'queue', pattern: '#' }],
} as const;

/** A broker that says yes to all, on channels that are closed in this way. */
function modelClosing(close: () => Promise<void>): ChannelModel {
  const yes = () => Promise.resolve({});
  const createChannel = async () =>
    Object.assign(new EventEmitter(), { assertExchange: yes, assertQueue: yes, bindQueue: yes, close });
  return { createChannel } as unknown as ChannelModel;
}

describe('the channels that a topology was declared over', () => {
  it('are told to close, and nobody waits until the broker has', async () => {
    let told = 0;
    const never = () => {
      told += 1;
      return new Promise<void>(() => {});
    };
    await declarePlan(modelClosing(never), PLAN, 'declare');
    assert.equal(told, 1);
  });

  it('may be gone by then, with their connection', async () => {
    const gone = [
      () => {
        throw new Error('Channel closed');
      },
      () => Promise.reject(new Error('Channel ended, no reply will be forthcoming')),
    ];
    for (const close of gone) await declarePlan(modelClosing(close), PLAN, 'declare');
  });
});
