import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { PrivateCluster, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Child, type Role } from './children.js';
import { AUDIT_QUEUE, CRASH_QUEUE, QUEUES, WORK_QUEUE } from './traffic.js';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Messages a second, of all publishers together. */
  readonly rate: number;
}

const WORKERS = 3;
const PUBLISHERS = 2;

const CONSUMERS = { [WORK_QUEUE]: WORKERS, [AUDIT_QUEUE]: WORKERS, [CRASH_QUEUE]: 1 } as const;

/** Until the first workers consume. */
const START_MS = 60_000;

/** Brokers, the network before them, and the processes that use them. */
export class World {
  readonly workers: Child[];
  readonly publishers: Child[];
  readonly supervisors: Child[];

  private constructor(
    readonly cluster: PrivateCluster,
    /** One before each node, by its place. */
    readonly proxies: readonly TcpProxy[],
    /** Holds the journals and the logs. */
    readonly folder: string,
    { seed, rate }: WorldOptions,
  ) {
    const children = (role: Role, count: number) =>
      Array.from({ length: count }, (_, index) => {
        const options = { urls: this.urls(index), folder, seed: seed + index, rate: rate / PUBLISHERS };
        return new Child(role, index + 1, options);
      });
    this.workers = children('worker', WORKERS);
    this.publishers = children('publisher', PUBLISHERS);
    this.supervisors = children('supervisor', 1);
  }

  /** Resolves once messages flow. */
  static async start(options: WorldOptions): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-chaos-'));
    const cluster = await PrivateCluster.start({ name: 'chaos', nodes: options.nodes });
    const targets = cluster.nodes.map(({ port }) => TcpProxy.start({ host: '127.0.0.1', port }));
    const world = new World(cluster, await Promise.all(targets), folder, options);
    for (const worker of [...world.workers, ...world.supervisors]) worker.start();
    // An event that is published before a queue is bound reaches nobody, and is not lost.
    await eventually(() => world.consumed(), { timeout: START_MS, interval: 500 });
    for (const publisher of world.publishers) publisher.start();
    return world;
  }

  get children(): readonly Child[] {
    return [...this.workers, ...this.publishers, ...this.supervisors];
  }

  node(pick: number): PrivateNode {
    return this.cluster.nodes[pick % this.cluster.nodes.length] as PrivateNode;
  }

  /** Through the proxies, beginning at one of them. */
  urls(pick = 0): string[] {
    return rotated(this.proxies.map(urlOf), pick);
  }

  proxy(pick: number): TcpProxy {
    return this.proxies[pick % this.proxies.length] as TcpProxy;
  }

  /** Ends what still runs, whatever became of the run. */
  async stop(): Promise<void> {
    for (const child of this.children) child.kill();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await this.cluster.stop();
  }

  private async consumed(): Promise<boolean> {
    const connection = await connect(this.node(0).url);
    connection.on('error', () => {});
    try {
      const channel = await connection.createChannel();
      channel.on('error', () => {}); // a queue that is not there yet
      for (const queue of QUEUES) {
        const { consumerCount } = await channel.checkQueue(queue);
        if (consumerCount < CONSUMERS[queue]) return false;
      }
      return true;
    } finally {
      await connection.close();
    }
  }
}

const urlOf = ({ port }: TcpProxy) => `amqp://guest:guest@127.0.0.1:${port}`;

/** So that the children begin at different nodes. */
const rotated = <T>(list: readonly T[], by: number): T[] => {
  const places = by % list.length;
  return [...list.slice(places), ...list.slice(0, places)];
};
