import { setTimeout as pause } from 'node:timers/promises';
import { ALARMS } from '../support/alarms.js';
import type { PrivateNode } from '../support/broker/index.js';
import type { Child } from './children.js';
import { pauseStorm } from './pause-storm.js';
import type { FaultName, Step } from './schedule.js';
import { MARKER, QUEUES } from './traffic.js';
import type { World } from './world.js';

/** Stages a fault and heals it. Resolves, once it is healed, with what it was done to. */
type Fault = (world: World, step: Step) => Promise<string>;

/** How many bytes a second a slow network takes each way. */
const SLOW_BYTES = 20_000;

/** For a freeze to be noticed, it has to outlast the heartbeats: 2 s each, two may be missed. */
const FREEZE_AT_LEAST_MS = 4_000;

/** For a node that confirms nothing to be noticed, and left, it has to last: 8 s, and a look at another. */
const CUT_OFF_AT_LEAST_MS = 15_000;

/** For the guilty queue to be found: two losses, and halves. */
const GUILTY_AT_LEAST_MS = 5_000;

export const FAULTS: Record<FaultName, Fault> = {
  'kill a node': (world, step) => killed(world, world.node(step.pick), step),

  "kill a queue's leader": async (world, step) => {
    const queue = QUEUES[step.pick % QUEUES.length] as string;
    return `${queue}, ${await killed(world, await world.cluster.leaderOf(queue), step)}`;
  },

  'stop a node in order': async (world, step) => {
    const node = world.node(step.pick);
    await node.shutDown();
    await pause(step.holdMs);
    await node.restart();
    await world.cluster.settled();
    return nameOf(world, node);
  },

  'restart all nodes, one by one': async (world) => {
    for (const node of world.cluster.nodes) {
      await node.restart();
      await world.cluster.settled();
    }
    return 'all';
  },

  'cut a node off': async (world, { pick, holdMs }) => {
    const { cluster } = world;
    const node = world.node(pick);
    if (cluster.nodes.length === 1) return 'nothing: it is alone';
    await cluster.cutOff(node);
    await pause(CUT_OFF_AT_LEAST_MS + holdMs);
    await cluster.heal();
    return nameOf(world, node);
  },

  'close all connections': async (world, { pick }) => {
    await world.node(pick).ctl('close_all_connections', 'chaos');
    return nameOf(world, world.node(pick));
  },

  'memory alarm': async (world, { pick, holdMs }) => {
    const node = world.node(pick);
    await node.ctl(...ALARMS.memory.on);
    await pause(holdMs);
    await node.ctl(...ALARMS.memory.off);
    return nameOf(world, node);
  },

  'disk alarm': async (world, { pick, holdMs }) => {
    const node = world.node(pick);
    await node.ctl(...ALARMS.disk.on);
    await pause(holdMs);
    await node.ctl(...ALARMS.disk.off);
    return nameOf(world, node);
  },

  'reset connections': async (world, { pick }) => {
    world.proxy(pick).reset();
    return `those to node ${(pick % world.proxies.length) + 1}`;
  },

  'stall the network': async (world, { pick, holdMs }) => {
    const proxy = world.proxy(pick);
    proxy.stall('both');
    await pause(holdMs);
    proxy.resume();
    return `to node ${(pick % world.proxies.length) + 1}`;
  },

  'lose confirms': async (world, { pick, holdMs }) => {
    const proxy = world.proxy(pick);
    proxy.drop('broker-to-client');
    await pause(Math.min(holdMs, 1_500));
    proxy.reset();
    proxy.resume();
    return `from node ${(pick % world.proxies.length) + 1}`;
  },

  'slow network': async (world, { pick, holdMs }) => {
    const proxy = world.proxy(pick);
    proxy.throttle('both', SLOW_BYTES);
    await pause(holdMs);
    proxy.resume();
    return `to node ${(pick % world.proxies.length) + 1}`;
  },

  'kill a worker': async (world, { pick }) => signalled(world.workers, pick, 'SIGKILL'),

  'end a worker in order': async (world, { pick }) => signalled(world.workers, pick, 'SIGTERM'),

  'freeze a worker': async (world, { pick, holdMs }) => {
    const frozen = signalled(world.workers, pick, 'SIGSTOP');
    await pause(FREEZE_AT_LEAST_MS + holdMs);
    signalled(world.workers, pick, 'SIGCONT');
    return frozen;
  },

  'kill a publisher': async (world, { pick }) => signalled(world.publishers, pick, 'SIGKILL'),

  'kill a supervisor': async (world, { pick }) => signalled(world.supervisors, pick, 'SIGKILL'),

  'pause storm': (world, step) => pauseStorm(world, step),

  'cut who gets a marked message': async (world, { holdMs }) => {
    for (const proxy of world.proxies) proxy.cutAt(MARKER);
    await pause(GUILTY_AT_LEAST_MS + holdMs);
    for (const proxy of world.proxies) proxy.cutAt(undefined);
    return 'all';
  },
};

async function killed(world: World, node: PrivateNode, { holdMs }: Step): Promise<string> {
  await node.kill();
  await pause(holdMs);
  await node.restart();
  await world.cluster.settled();
  return nameOf(world, node);
}

function signalled(children: readonly Child[], pick: number, signal: NodeJS.Signals): string {
  const index = pick % children.length;
  (children[index] as Child).signal(signal);
  return `number ${index + 1}`;
}

const nameOf = (world: World, node: PrivateNode) => `node ${world.cluster.nodes.indexOf(node) + 1}`;
