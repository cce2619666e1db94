import assert from 'node:assert/strict';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';
import { run } from './program.js';

const TOLD = [
  'tea: nobody is there',
  'tea: 500 cents',
  "coffee: SKU_UNKNOWN, there is no 'coffee'",
  'tea: nobody is there',
];

describe('the example of requests', () => {
  const asks = async (amqpUrl?: string) => {
    const { code, stdout, stderr } = await run('requests.js', amqpUrl === undefined ? {} : { amqpUrl });
    assert.deepEqual({ code, told: stdout.trim().split('\n'), stderr }, { code: 0, told: TOLD, stderr: '' });
  };

  it('is replied to in memory while its responder runs, and told at once when nobody is there', () => asks());

  it('is so on RabbitMQ, where its queue goes with its responder', async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const { url } = await sharedBroker();
    await asks(url);
  });
});
