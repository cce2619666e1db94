import { AmqpHarness, RawClient } from '../support/amqp-harness.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';
import { transportContract } from './transport-contract.js';

describe('RabbitMQ', () => {
  let client: RawClient;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    client = await RawClient.connect((await sharedBroker()).url);
  });

  after(() => client?.close());

  const capabilities = { realTime: true, survivesProcess: true, hasConnections: true, hasWireTypes: true };
  transportContract('RabbitMQ', () => new AmqpHarness(client), capabilities, process.env.TEST_SHARE);
});
