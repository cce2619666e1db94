import { serverVersion } from './amqp-probe.js';
import { chosenVersion, findServerProgram } from './find-program.js';
import { PrivateNode } from './private-node.js';
import type { TestBroker } from './test-broker.js';
import { Declined, type Way } from './way.js';

/** The installed server's program, run as a node of our own beside whatever else runs on the machine. */
export const privateProcess: Way = {
  name: 'a private rabbitmq-server process',
  remedy: "Install RabbitMQ, such as with `brew install rabbitmq`; it needn't be started.",

  async provide() {
    if (!chosenVersion() && !(await findServerProgram()))
      return new Declined('rabbitmq-server is not installed');
    return startProcess();
  },
};

export async function startProcess(): Promise<TestBroker> {
  const node = await PrivateNode.start();
  return {
    kind: 'process',
    url: node.url,
    version: await serverVersion(node.url),
    ctl: (...args) => node.ctl(...args),
    stop: () => node.stop(),
  };
}
