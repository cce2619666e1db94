import { Choices } from './random.js';

/** What can be done to the broker's side; one at a time, so that a majority of the nodes is always left. */
const BROKER_FAULTS = {
  'kill a node': 3,
  "kill a queue's leader": 3,
  'stop a node in order': 2,
  'restart all nodes, one by one': 1,
  'cut a node off': 2,
  'close all connections': 3,
  'memory alarm': 2,
  'disk alarm': 1,
} as const;

/** What can be done to clients and to the network before them; at the same time as the others. */
const CLIENT_FAULTS = {
  'reset connections': 4,
  'stall the network': 2,
  'lose confirms': 2,
  'slow network': 1,
  'kill a worker': 4,
  'end a worker in order': 2,
  'freeze a worker': 2,
  'kill a publisher': 1,
  'kill a supervisor': 1,
  'pause storm': 2,
  'cut who gets a marked message': 2,
} as const;

export type BrokerFault = keyof typeof BROKER_FAULTS;
export type ClientFault = keyof typeof CLIENT_FAULTS;
export type FaultName = BrokerFault | ClientFault;

/** One step of a schedule. All of it is drawn from the seed, so that the same seed stages the same. */
export interface Step<Name extends FaultName = FaultName> {
  readonly fault: Name;
  /** Before it, in which things may settle or not. */
  readonly pauseMs: number;
  /** How long it lasts, if it is one that lasts. */
  readonly holdMs: number;
  /** Picks the node, the worker, the queue: any non-negative integer, to be taken modulo how many there are. */
  readonly pick: number;
}

/** Endless; whoever follows it ends it. */
export function* brokerSchedule(seed: number): Generator<Step<BrokerFault>, never> {
  const choices = new Choices(seed);
  while (true) yield stepOf(BROKER_FAULTS, choices);
}

/** Endless; its choices are not those of {@link brokerSchedule}. */
export function* clientSchedule(seed: number): Generator<Step<ClientFault>, never> {
  const choices = new Choices(seed + 1);
  while (true) yield stepOf(CLIENT_FAULTS, choices);
}

function stepOf<Name extends FaultName>(faults: Record<Name, number>, choices: Choices): Step<Name> {
  return {
    fault: choices.weighted(faults),
    pauseMs: choices.integer(500, 5_000),
    holdMs: choices.integer(500, 6_000),
    pick: choices.integer(0, 1_000),
  };
}
