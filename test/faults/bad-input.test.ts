import assert from 'node:assert/strict';
import type { Headers } from 'hopline';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('bad input of a foreign client', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  /** Publishes once with these headers, to a handler that always fails; resolves with its attempts and dead letter. */
  async function failing(headers: object): Promise<{ attempts: number[]; letter: Headers; log: string[] }> {
    const prefix = uniqueName('prefix');
    const { bus, seen, log } = faultBus(node.url, { prefix });
    const attempts: number[] = [];
    const queue = uniqueName('queue');
    bus.handle(
      'k',
      (_payload, { attempt }) => {
        attempts.push(attempt);
        throw new Error('again');
      },
      { queue, retry: { tries: 3, backoff: '100ms' } },
    );
    await bus.start();
    const letter = await raw(node, async (channel) => {
      channel.publish(`${prefix}.events`, 'k', Buffer.from('{}'), { headers, messageId: 'm' });
      await channel.waitForConfirms();
      await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
      const message = await channel.get(`${queue}.dead`, { noAck: true });
      assert.ok(message, 'the dead letter is there');
      return message.properties.headers as Headers;
    });
    await bus.stop();
    return { attempts, letter, log };
  }

  it('with headers that leave no room for ours is retried and dead-lettered, and says what it lost', async () => {
    const { attempts, letter, log } = await failing({ small: 'kept', large: 'x'.repeat(65_350) });
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(letter.small, 'kept');
    assert.ok(!('large' in letter));
    assert.equal(letter['hopline-dropped-headers'], 'large');
    assert.equal(letter['hopline-error'], 'Error: again');
    assert.equal(log.filter((line) => line.includes('left out of the copy')).length, 1);
  });

  it('with a moment that no Date can hold keeps it', async () => {
    const at = { '!': 'timestamp', value: 8_640_000_000_001 };
    const { attempts, letter } = await failing({ at });
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(letter.at, at);
  });
});
