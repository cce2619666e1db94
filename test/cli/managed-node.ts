import { PrivateNode, type PrivateNodeOptions } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';

export interface ManagedNode {
  readonly node: PrivateNode;
  /** With credentials. */
  readonly managementUrl: string;
}

let shared: Promise<ManagedNode> | undefined;

/**
 * A node with the management plugin, the same for each file of a mocha process: it takes twice as long to boot as one without.
 * Whoever asks finds its virtual host as new, and the one before is done with it. Ends with the run.
 */
export async function managedNode(): Promise<ManagedNode> {
  const isNew = shared === undefined;
  shared ??= ownManagedNode();
  const managed = await shared;
  if (!isNew) await renewVhost(managed.node);
  return managed;
}

// A hook of the whole run: it is at the top of a module.
after(async function () {
  this.timeout(60_000);
  const managed = await shared?.catch(() => undefined);
  await managed?.node.stop();
});

async function renewVhost(node: PrivateNode): Promise<void> {
  await node.ctl('delete_vhost', '/');
  await node.ctl('add_vhost', '/');
  await node.ctl('set_permissions', '-p', '/', 'guest', '.*', '.*', '.*');
}

/** One of its own, which the caller stops. */
export async function ownManagedNode(
  options: Pick<PrivateNodeOptions, 'advanced'> = {},
): Promise<ManagedNode> {
  const [port] = (await freePorts(1)) as [number];
  const node = await PrivateNode.start({
    ...options,
    name: 'managed',
    plugins: ['rabbitmq_management', 'rabbitmq_consistent_hash_exchange'],
    config: [`management.tcp.port = ${port}`, 'management.tcp.ip = 127.0.0.1'],
  });
  return { node, managementUrl: `http://guest:guest@127.0.0.1:${port}` };
}
