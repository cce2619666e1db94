import { installPackage } from './apt.js';
import { startProcess } from './process.js';
import type { Way } from './way.js';

/** The distribution's package, installed for the occasion: what a bare container or CI machine needs. */
export const debianPackage: Way = {
  name: 'a private rabbitmq-server process, installed with apt-get just now',
  remedy: 'Run the tests as root on Debian or Ubuntu, or run `apt-get install rabbitmq-server` yourself.',

  async provide() {
    return (await installPackage('rabbitmq-server')) ?? (await startProcess());
  },
};
