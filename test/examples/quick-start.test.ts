import assert from 'node:assert/strict';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';
import { run } from './program.js';
import { removeFromBroker } from './remove-from-broker.js';

describe('the quick start', () => {
  it('welcomes in memory, and ends by itself', async () => {
    const { code, stdout, stderr } = await run('quick-start.js');
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'welcome, ada@example.org\n', stderr: '' });
  });

  describe('on RabbitMQ', () => {
    let url: string;
    before(async function () {
      this.timeout(PROVIDE_TIMEOUT_MS);
      ({ url } = await sharedBroker());
    });
    // Its exchanges have the default names: whose else they are on a broker that was lent to the tests, nobody knows.
    after(() => removeFromBroker(url, { queues: ['mailer.welcome-email'] }));

    it('welcomes, and ends by itself', async () => {
      const { code, stdout, stderr } = await run('quick-start.js', { amqpUrl: url });
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 0, stdout: 'welcome, ada@example.org\n', stderr: '' },
      );
    });
  });
});
