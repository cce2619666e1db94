import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { eventually } from '../eventually.js';
import { ErlangHome } from './erlang-home.js';
import { requireServerProgram } from './find-program.js';
import { freePorts } from './ports.js';
import { PrivateNode, type PrivateNodeOptions } from './private-node.js';

export interface PrivateClusterOptions extends PrivateNodeOptions {
  /** How many; one is a cluster too. Default 3. */
  nodes?: number;
  /** Lines of `rabbitmq.conf` for one node alone, by its place, such as a port. Default none. */
  configOf?: (index: number) => readonly string[];
}

const FORM_TIMEOUT_MS = 90_000;

/**
 * What a cluster does after a node has died, in five seconds instead of minutes. Each version takes what it knows:
 * - before 4.0 a dead-letter worker waits three minutes for a confirm that died with a node, and all behind that message
 *   wait with it;
 * - from 4.3 on a quorum queue keeps for a minute what a consumer of the dead node's had in hand. Before, it was
 *   delivered again at once (tried on 3.10.8, 4.0.5 and 4.3.6).
 */
export const SOON_AFTER_A_DEATH =
  '[{rabbit,[{dead_letter_worker_publisher_confirm_timeout,5000},{consumer_disconnected_timeout,5000}]}]';

/** How many nodes run, as each of those that one sees does; the function's name changed with 3.11. */
const COUNT_RUNNING =
  'F = case erlang:function_exported(rabbit_nodes,list_running,0) of true -> list_running; false -> all_running end, [length(R) || {ok,R} <- erpc:multicall(rabbit_nodes:F(),rabbit_nodes,F,[])].';

/** What {@link PrivateNode.sync} does, on every node that runs. */
const SYNC_ALL = 'erpc:multicall([node()|nodes()], fun() -> [dets:sync(Table) || Table <- dets:all()] end).';

/** Another cookie for all nodes that it knows, so that none of them connects again. */
const CUT_OFF = '[begin erlang:set_cookie(N, cut_off), erlang:disconnect_node(N) end || N <- nodes()].';

/**
 * RabbitMQ nodes of the test run's own in one cluster, each of which may be faulted. They share what a
 * {@link PrivateNode} has of its own, with each other and nobody else.
 */
export class PrivateCluster {
  private constructor(
    private readonly home: ErlangHome,
    readonly nodes: readonly PrivateNode[],
  ) {}

  /**
   * Resolves once all nodes are members: some fifteen seconds for three.
   *
   * @throws Error as {@link PrivateNode.start} does
   */
  static async start(options: PrivateClusterOptions = {}): Promise<PrivateCluster> {
    const count = options.nodes ?? 3;
    const program = await requireServerProgram(options.version);
    const [epmd, ...ports] = (await freePorts(1 + 2 * count)) as [number, ...number[]];
    const home = await ErlangHome.create(options.name ?? 'hopline', epmd, options.dir);
    try {
      await home.startEpmd(program);
      const names = Array.from(
        { length: count },
        (_, index) => `${basename(home.dir)}-${index + 1}@localhost`,
      );
      const nodes: PrivateNode[] = [];
      for (const [index, nodeName] of names.entries()) {
        const dir = join(home.dir, `node-${index + 1}`);
        await mkdir(dir);
        const [amqp, distribution] = ports.slice(2 * index) as [number, number];
        const place = { program, home, dir, nodeName, ports: { amqp, distribution } };
        const own = options.configOf?.(index) ?? [];
        const config = [...clusterLines(names, program.version), ...(options.config ?? []), ...own];
        nodes.push(await PrivateNode.prepare(place, { advanced: SOON_AFTER_A_DEATH, ...options, config }));
      }
      await Promise.all(nodes.map((node) => node.boot()));
      const cluster = new PrivateCluster(home, nodes);
      await cluster.settled();
      return cluster;
    } catch (error) {
      await home.stop();
      throw error;
    }
  }

  /** One for each node, in their order, with the administrator's credentials. */
  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Resolves once every node sees all the others: another may be taken down then, and a majority is left. */
  async settled(): Promise<void> {
    const { nodes } = this;
    const [first] = nodes;
    const all = JSON.stringify(nodes.map(() => nodes.length));
    const options = { timeout: FORM_TIMEOUT_MS, interval: 200 };
    // One asks the others: each look costs a start of rabbitmqctl.
    await eventually(async () => (await first?.ctl('eval', COUNT_RUNNING))?.trim() === all, options);
  }

  /**
   * Cuts a node off from all the others, as a network does: its port stays open, and its heartbeats flow, unless it pauses
   * itself, as a minority does before 4.0 here.
   */
  async cutOff(node: PrivateNode): Promise<void> {
    await node.ctl('eval', CUT_OFF);
  }

  /** Mends what {@link cutOff} has cut; resolves once all nodes see each other. */
  async heal(): Promise<void> {
    const names = this.nodes.map(({ name }) => `'${name}'`).join();
    const program = `[begin erlang:set_cookie(N, erlang:get_cookie()), net_kernel:connect_node(N) end || N <- [${names}], N =/= node()].`;
    await Promise.all(this.nodes.map((node) => node.ctl('eval', program)));
    await this.settled();
  }

  /** To be awaited between declaring and killing: see {@link PrivateNode.sync}. */
  async sync(): Promise<void> {
    await this.nodes.find(({ pid }) => pid !== undefined)?.ctl('eval', SYNC_ALL);
  }

  /**
   * The node that leads a quorum queue.
   *
   * @throws Error if there is none: no such queue, or an election is under way
   */
  async leaderOf(queue: string): Promise<PrivateNode> {
    const up = this.nodes.find(({ pid }) => pid !== undefined);
    if (!up) throw new Error('no node of the cluster is up');
    const row = (await up.queues('leader')).find(({ name }) => name === queue);
    const leader = this.nodes.find(({ name }) => name === row?.leader);
    if (!leader) throw new Error(`queue '${queue}' has no leader${row ? '' : ': it does not exist'}`);
    return leader;
  }

  /** Ends all nodes cleanly and removes their folder. */
  stop(): Promise<void> {
    return this.home.stop();
  }
}

function clusterLines(names: readonly string[], version: string | undefined): string[] {
  if (names.length === 1) return [];
  return [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...names.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
    // A node that is cut off, rather than dead, is noticed after a quarter more than these seconds.
    'net_ticktime = 8',
    ...(version?.startsWith('3.') ? BEFORE_4 : []),
  ];
}

/** What needs no setting any more in 4.x: nodes that start together, and a minority that must not go on alone. */
const BEFORE_4 = [
  'cluster_formation.randomized_startup_delay_range.min = 0',
  'cluster_formation.randomized_startup_delay_range.max = 0',
  'cluster_partition_handling = pause_minority',
];
