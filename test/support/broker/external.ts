import { serverVersion } from './amqp-probe.js';
import { Declined, type Way } from './way.js';

/** Somebody's broker, named by the environment. */
export const externalBroker: Way = {
  name: 'AMQP_URL',
  remedy: 'Set AMQP_URL to the URL of a broker that the tests may use.',

  async provide() {
    const url = process.env.AMQP_URL;
    if (!url) return new Declined('AMQP_URL is not set');
    const version = await serverVersion(url);
    return { kind: 'external', url, version, stop: async () => {} };
  },
};
