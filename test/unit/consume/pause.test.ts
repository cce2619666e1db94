import assert from 'node:assert/strict';
import { Pause, type PausedLane } from '../../../src/consume/intake/pause.js';
import { ConsumerEvents } from '../../../src/consume/report/consumer-events.js';
import type { BusEvents } from '../../../src/events.js';
import { Emitter } from '../../../src/util/emitter.js';
import { handler, workFor } from './fixtures.js';

/** Two lanes that remember what they were told. */
function paused() {
  const told: string[] = [];
  const events = new Emitter<BusEvents>((_event, error) => {
    throw error;
  });
  events.on('consumer.paused', ({ queue, why }) => told.push(`${queue} paused: ${why}`));
  events.on('consumer.resumed', ({ queue, why }) => told.push(`${queue} resumed: ${why}`));
  const pause = new Pause(new ConsumerEvents('shop', events));
  const lane = (queue: string): PausedLane => ({
    queue,
    stopTaking: async () => void told.push(`${queue} stops`),
    takeAgain: () => void told.push(`${queue} takes`),
  });
  pause.governs([lane('high'), lane('low')], () => told.push('begins'));
  const heard = () => told.splice(0);
  return { pause, heard };
}

describe('a pause', () => {
  it('of one lane leaves the other, and what is here begins', async () => {
    const { pause, heard } = paused();
    await pause.add('operator', [1]);
    assert.deepEqual([pause.takes(0), pause.takes(1), pause.begins], ['all', 'none', 'any']);
    assert.deepEqual(heard(), ['low paused: operator', 'low stops']);
    pause.remove('operator', [1]);
    assert.deepEqual(heard(), ['low resumed: operator', 'low takes']);
    assert.equal(pause.takes(1), 'all');
  });

  it('ends with its last reason', async () => {
    const { pause } = paused();
    await pause.add('operator');
    await pause.add('higher-lane', [0]);
    assert.deepEqual(pause.reasonsOf(0), ['operator', 'higher-lane']);
    pause.remove('operator');
    assert.deepEqual([pause.takes(0), pause.takes(1)], ['none', 'all']);
    assert.deepEqual(pause.lanesFor('higher-lane'), [0]);
  });

  it('for a reason that is there already is told of no second time, nor its end where there was none', async () => {
    const { pause, heard } = paused();
    await pause.add('circuit-open', [0]);
    heard();
    await pause.add('circuit-open');
    assert.deepEqual(heard(), ['high stops', 'low paused: circuit-open', 'low stops']);
    pause.remove('circuit-open', [1]);
    assert.deepEqual(heard(), ['low resumed: circuit-open', 'low takes']);
    pause.remove('circuit-open');
    assert.deepEqual(heard(), ['begins', 'high resumed: circuit-open', 'high takes', 'low takes']);
  });

  it('for deliveries that are held is told of once, and keeps all from beginning until the last is released', () => {
    const { pause, heard } = paused();
    pause.hold(new Error('blocked'));
    pause.hold(new Error('blocked'));
    pause.release();
    assert.deepEqual([pause.begins, pause.takes(0)], ['none', 'all']);
    assert.deepEqual(heard(), ['high paused: unpublishable', 'low paused: unpublishable']);
    pause.release();
    assert.equal(pause.begins, 'any');
    assert.deepEqual(heard(), ['begins', 'high resumed: unpublishable', 'low resumed: unpublishable']);
  });

  it('for an open circuit lets one message of its handler through, and takes one at a time until it comes', async () => {
    const its = handler('broken', ['k']);
    const { pause, heard } = paused();
    await pause.add('circuit-open');
    assert.deepEqual([pause.begins, pause.takes(0)], ['none', 'none']);
    heard();
    pause.letOne(its);
    assert.deepEqual(heard(), ['begins', 'high takes', 'low takes']);
    assert.deepEqual([pause.begins, pause.takes(0), pause.awaitsOne], [its, 'one', true]);
    const [other, tried] = [workFor(handler('other', ['o'])), workFor(its)];
    pause.hasBegun(other);
    assert.equal(pause.awaitsOne, true);
    pause.hasBegun(tried);
    assert.deepEqual([pause.begins, pause.awaitsOne, pause.isTrying], ['none', false, true]);
    assert.deepEqual([pause.isTried(tried), pause.isTried(other)], [true, false]);
    await pause.add('circuit-open');
    assert.deepEqual([pause.takes(0), pause.isTrying], ['none', false], 'it has failed again');
    pause.remove('circuit-open');
    assert.deepEqual([pause.begins, pause.takes(0)], ['any', 'all']);
  });

  it('for an open circuit tries nothing of a lane that is paused for another reason, too', async () => {
    const { pause } = paused();
    await pause.add('circuit-open');
    await pause.add('operator', [0]);
    pause.letOne(handler('broken', ['k']));
    assert.deepEqual([pause.takes(0), pause.takes(1)], ['none', 'one']);
  });

  it('for a suspect lets begin what was handed out before, and nothing at all once it stops', () => {
    const { pause } = paused();
    pause.setSuspect(true);
    assert.equal(pause.begins, 'redelivered');
    pause.stop();
    pause.setSuspect(false);
    assert.equal(pause.begins, 'none');
  });
});
