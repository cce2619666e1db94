import { PrivateNode, type PrivateNodeOptions } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';

export interface ManagedNode {
  readonly node: PrivateNode;
  /** With credentials. */
  readonly managementUrl: string;
}

/** A node of its own with the management plugin, on loopback. */
export async function managedNode(options: Pick<PrivateNodeOptions, 'advanced'> = {}): Promise<ManagedNode> {
  const [port] = (await freePorts(1)) as [number];
  const node = await PrivateNode.start({
    ...options,
    name: 'managed',
    plugins: ['rabbitmq_management'],
    config: [`management.tcp.port = ${port}`, 'management.tcp.ip = 127.0.0.1'],
  });
  return { node, managementUrl: `http://guest:guest@127.0.0.1:${port}` };
}
