import { setTimeout as pause } from 'node:timers/promises';
import { Choices } from '../../test/chaos/random.js';
import type { PrivateNode } from '../../test/support/broker/index.js';
import { QUEUES } from './run.js';
import type { World } from './world.js';

/** What is drawn for one fault. */
export interface Step {
  /** Any non-negative integer, to be taken modulo how many there are. */
  readonly pick: number;
  readonly holdMs: number;
}

/** Stages a fault and heals it. Resolves, once it is healed, with what it was done to. */
type Fault = (world: World, step: Step) => Promise<string>;

interface Season {
  readonly faults: Readonly<Record<string, { readonly weight: number; readonly stage: Fault }>>;
  /** Milliseconds before each fault. */
  readonly pauseMs: readonly [number, number];
}

/** On the broker's side: one at a time, so that a majority of the nodes is left. */
export const OF_BROKER: Season = {
  pauseMs: [5_000, 15_000],
  faults: {
    'kill the node that leads the jobs': {
      weight: 3,
      stage: (world, step) => killLeader(world, 'jobs', step),
    },
    'kill the node that leads the guards': {
      weight: 2,
      stage: (world, step) => killLeader(world, 'guards', step),
    },
    'restart a node in order': {
      weight: 1,
      stage: async (world, { pick }) => {
        const node = world.node(pick);
        await node.restart();
        await world.cluster.settled();
        return nameOf(world, node);
      },
    },
  },
};

/** On all other sides, at the same time. */
export const OF_OTHERS: Season = {
  pauseMs: [1_000, 8_000],
  faults: {
    'kill a worker': {
      weight: 4,
      stage: async (world, { pick }) => {
        const worker = world.worker(pick);
        const { name } = worker;
        await worker.kill();
        return name;
      },
    },
    'cut connections': {
      weight: 4,
      stage: async (world, { pick }) => {
        world.proxy(pick).reset();
        return `those to node ${(pick % world.proxies.length) + 1}`;
      },
    },
    'stop a worker past its lease': {
      weight: 3,
      stage: (world, { pick, holdMs }) => stopped(world, pick, world.options.leaseMs + holdMs),
    },
    'stop a worker for less than its lease': {
      weight: 1,
      stage: (world, { pick }) => stopped(world, pick, world.options.leaseMs / 3),
    },
    'end a worker in order': {
      weight: 1,
      stage: async (world, { pick }) => {
        const { name } = world.worker(pick);
        world.worker(pick).terminate();
        return name;
      },
    },
    'restart the store': {
      weight: 2,
      stage: async ({ store }) => {
        await store.kill();
        await store.boot();
        return '';
      },
    },
    'take the store away past the lease': {
      // All jobs end for it: more of it, and none would come to its end.
      weight: 0,
      stage: async ({ store, options: { leaseMs } }, { holdMs }) => {
        await store.kill();
        await pause(leaseMs + holdMs);
        await store.boot();
        return '';
      },
    },
  },
};

export interface Staging {
  readonly seed: number;
  isOver(): boolean;
  /** Told of each fault that is healed, or could not be staged. */
  tell(name: string, what: string, error?: unknown): void;
}

/** Stages faults until there have been enough: each once first, then by their weights. */
export async function follow(
  { faults, pauseMs }: Season,
  world: World,
  { seed, isOver, tell }: Staging,
): Promise<void> {
  const choices = new Choices(seed);
  const once = Object.keys(faults);
  const weights = Object.fromEntries(Object.entries(faults).map(([name, { weight }]) => [name, weight]));
  while (!isOver()) {
    const [first] = once.splice(choices.integer(0, Math.max(0, once.length - 1)), 1);
    const name = first ?? choices.weighted(weights);
    const step = { pick: choices.integer(0, 1_000), holdMs: choices.integer(500, 4_000) };
    await pause(choices.integer(...pauseMs));
    if (isOver()) return;
    try {
      tell(name, await (faults[name] as { stage: Fault }).stage(world, step));
    } catch (error) {
      tell(name, (error as Error).message, error);
    }
  }
}

async function stopped(world: World, pick: number, forMs: number): Promise<string> {
  const worker = world.worker(pick);
  const { name } = worker;
  worker.stop();
  await pause(forMs);
  worker.goOn();
  return `${name}, for ${Math.round(forMs)} ms`;
}

/** As {@link PrivateCluster.leaderOf} does, in some milliseconds, on a machine that has none to spare. */
async function leaderOf({ cluster }: World, queue: string): Promise<PrivateNode> {
  const up = cluster.nodes.find(({ pid }) => pid !== undefined);
  const lookUp = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)), element(2, ra_leaderboard:lookup_leader(element(1, amqqueue:get_pid(Q)))).`;
  const name = (await up?.ctl('eval', lookUp))?.trim();
  const leader = cluster.nodes.find((node) => `'${node.name}'` === name || node.name === name);
  if (!leader) throw new Error(`queue '${queue}' has no leader: ${name}`);
  return leader;
}

async function killLeader(world: World, queue: 'jobs' | 'guards', { holdMs }: Step): Promise<string> {
  const node = await leaderOf(world, QUEUES(world.name)[queue]);
  await node.kill();
  await pause(holdMs);
  await node.restart();
  await world.cluster.settled();
  return nameOf(world, node);
}

const nameOf = ({ cluster }: World, node: PrivateNode) => `node ${cluster.nodes.indexOf(node) + 1}`;
