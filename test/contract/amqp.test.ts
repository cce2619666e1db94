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

  transportContract('RabbitMQ', () => new AmqpHarness(client), {
    realTime: true,
    survivesProcess: true,
    hasConnections: true,
  });
});
