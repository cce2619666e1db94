import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, rabbitmq } from '../../src/index.js';
import { CONNECTION } from '../../test/chaos/child-setup.js';
import { PrivateCluster, type PrivateNode } from '../../test/support/broker/index.js';
import { TcpProxy } from '../../test/support/tcp-proxy.js';
import { Worker } from './fleet.js';
import { Journal, now } from './journal.js';
import { type Encoded, INBOX_EVERY, type Run } from './run.js';
import { type StoreServer, startStore } from './stores.js';

export interface WorldOptions extends Pick<Run, 'store' | 'brokerWaitsMs' | 'jobMs' | 'leaseMs' | 'slots'> {
  /** Version of RabbitMQ. */
  readonly broker: string | undefined;
  readonly jobs: number;
  readonly workers: number;
}

/**
 * For each node, also when it has booted again: how long it waits, that it looks three times a second, and that what has died with a
 * node is over in seconds, see `SOON_AFTER_A_DEATH`.
 */
const settingsOf = (waitsMs: number): string =>
  `[{rabbit,[{consumer_timeout,${waitsMs}},{channel_tick_interval,300},{dead_letter_worker_publisher_confirm_timeout,5000},{consumer_disconnected_timeout,5000}]}]`;

interface Servers {
  readonly cluster: PrivateCluster;
  /** One before each node, by its place. */
  readonly proxies: readonly TcpProxy[];
  readonly store: StoreServer;
}

/** A cluster, a store, workers, and who sends the jobs and waits for what comes of them. */
export class World {
  /** Jobs of which something has arrived. */
  readonly arrived = new Set<number>();
  readonly workers: readonly Worker[];
  private readonly client: Bus;

  private constructor(
    readonly options: WorldOptions,
    private readonly servers: Servers,
    readonly folder: string,
    readonly name: string,
  ) {
    const { proxies, store } = servers;
    const journal = new Journal(folder, 'parent');
    const urls = proxies.map(({ port }) => `amqp://guest:guest@127.0.0.1:${port}`);
    const run: Run = { ...options, urls, name, storeUrl: store.url, folder };
    this.workers = Array.from(
      { length: options.workers },
      (_none, number) => new Worker(number, run, journal),
    );
    this.client = new Bus({
      service: `${name}_client`,
      prefix: name,
      transport: rabbitmq({ url: urls, ...CONNECTION }),
      startDeadline: '2m',
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
    this.client.handle('encoded', ({ job, run: by }: Encoded) => {
      journal.write({ what: 'arrived', at: now(), job, run: by });
      this.arrived.add(job);
    });
  }

  /** Resolves once the workers have started, and all jobs are sent. */
  static async start(options: WorldOptions): Promise<World> {
    const name = `long_${process.pid}`;
    const folder = await mkdtemp(join(tmpdir(), 'hopline-long-jobs-'));
    const store = await startStore(options.store);
    await store.prepare(name);
    const advanced = settingsOf(options.brokerWaitsMs);
    const { broker: version } = options;
    const cluster = await PrivateCluster.start({ name: 'long-jobs', advanced, ...(version && { version }) });
    const targets = cluster.nodes.map(({ port }) => TcpProxy.start({ host: '127.0.0.1', port }));
    const world = new World(options, { cluster, proxies: await Promise.all(targets), store }, folder, name);
    await world.client.start();
    await Promise.all(world.workers.map((worker) => worker.start()));
    await cluster.sync();
    const { jobs } = options;
    const isInbox = (job: number) => options.store === 'postgres' && job % INBOX_EVERY === 0;
    const send = (job: number) => world.client.publish(isInbox(job) ? 'inbox-job' : 'job', { job });
    await Promise.all(Array.from({ length: jobs }, (_none, job) => send(job)));
    return world;
  }

  get cluster(): PrivateCluster {
    return this.servers.cluster;
  }

  get proxies(): readonly TcpProxy[] {
    return this.servers.proxies;
  }

  get store(): StoreServer {
    return this.servers.store;
  }

  node(pick: number): PrivateNode {
    return this.cluster.nodes[pick % this.cluster.nodes.length] as PrivateNode;
  }

  worker(pick: number): Worker {
    return this.workers[pick % this.workers.length] as Worker;
  }

  proxy(pick: number): TcpProxy {
    return this.proxies[pick % this.proxies.length] as TcpProxy;
  }

  /** Boots the nodes that a fault has left down, as one does that could not be healed. */
  async heal(): Promise<void> {
    for (const node of this.cluster.nodes) if (node.pid === undefined) await node.boot();
    await this.cluster.settled();
  }

  /** Names and numbers of the queues that hold anything, ready or not: guards, dead letters and delays among them. */
  async waiting(): Promise<string[]> {
    const rows = await this.node(0).queues('messages');
    return rows.filter(({ messages }) => messages !== 0).map(({ name, messages }) => `${name} (${messages})`);
  }

  /** Ends what still runs, whatever has become of the run. */
  async stop(): Promise<void> {
    for (const worker of this.workers) worker.destroy();
    await this.client.stop().catch(() => {});
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await this.cluster.stop();
    await this.store.stop();
  }
}
