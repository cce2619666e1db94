/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {'null' | 'real'} broker
 * @property {string[]} args  mode first
 * @property {'throughput' | 'cpu' | 'latency' | 'requests' | 'replies'} shows  what its table and plot are sorted by
 * @property {readonly string[]} [peers]  if not all take part
 * @property {string} [folder]  where its peers' programs are, if not beside this file
 * @property {Size} full
 * @property {Size} quick
 */

/** @typedef {{ n: number, warmup: number, repeats: number }} Size */

const NULL = {
  full: { n: 200_000, warmup: 40_000, repeats: 5 },
  quick: { n: 25_000, warmup: 15_000, repeats: 1 },
};
const REAL = {
  full: { n: 20_000, warmup: 5_000, repeats: 5 },
  quick: { n: 4_000, warmup: 1_500, repeats: 1 },
};

/** Acks are the consumer's: where nothing is consumed, these would be measured twice. */
const ACK_VARIANTS = ['amqplib-batch', 'librabbitmq-batch'];

/** What one process does with both ends; the C program has only one. */
const BOTH_ENDS = ['librabbitmq', 'librabbitmq-batch'];

/** Who asks and answers: the others leave it to their users. */
const RPC_PEERS = ['amqplib', 'golevelup', 'golevelup-nodelay', 'hopline'];

/** @type {readonly (Scenario & { without?: readonly string[] })[]} */
export const SCENARIOS = [
  {
    id: 'consume-null',
    title: 'Consume, prefetch 100, null broker',
    broker: 'null',
    args: ['consume', '--prefetch', '100', '--canned'],
    shows: 'cpu',
    ...NULL,
  },
  {
    id: 'publish-null',
    title: 'Publish, null broker',
    broker: 'null',
    args: ['publish'],
    shows: 'cpu',
    without: ACK_VARIANTS,
    ...NULL,
  },
  ...['classic', 'quorum'].map((queue) => ({
    id: `consume-${queue}`,
    title: `Consume, prefetch 100, ${queue} queue`,
    broker: /** @type {const} */ ('real'),
    args: ['consume', '--prefetch', '100', '--queue', queue],
    shows: /** @type {const} */ ('throughput'),
    ...REAL,
  })),
  ...['classic', 'quorum'].map((queue) => ({
    id: `publish-${queue}`,
    title: `Publish, ${queue} queue`,
    broker: /** @type {const} */ ('real'),
    args: ['publish', '--queue', queue],
    shows: /** @type {const} */ ('throughput'),
    without: ACK_VARIANTS,
    ...REAL,
  })),
  {
    id: 'e2e',
    title: 'End to end in one process, classic queue',
    broker: 'real',
    args: ['e2e', '--queue', 'classic'],
    shows: 'throughput',
    without: BOTH_ENDS,
    ...REAL,
  },
  {
    id: 'fanout',
    title: 'One publish, three queues',
    broker: 'real',
    args: ['fanout', '--queue', 'classic'],
    shows: 'throughput',
    without: BOTH_ENDS,
    full: { n: 10_000, warmup: 3_000, repeats: 3 },
    quick: { n: 2_000, warmup: 500, repeats: 1 },
  },
  {
    id: 'latency',
    title: 'Latency, 7 kB bodies, 200 a second',
    broker: 'real',
    args: ['latency', '--size', '7000', '--rate', '200', '--queue', 'classic'],
    shows: 'latency',
    without: BOTH_ENDS,
    full: { n: 1_000, warmup: 200, repeats: 3 },
    quick: { n: 300, warmup: 100, repeats: 1 },
  },
  {
    id: 'packs',
    title: 'Packs of 100, end to end, each item handled on its own',
    broker: 'real',
    args: ['packs', '--pack', '100', '--queue', 'classic'],
    shows: 'throughput',
    peers: ['hopline'],
    full: { n: 300_000, warmup: 50_000, repeats: 5 },
    quick: { n: 60_000, warmup: 20_000, repeats: 1 },
  },
  {
    id: 'rpc',
    title: 'Requests and replies between two processes, 100 in flight',
    broker: 'real',
    folder: 'rpc',
    args: ['rpc', '--window', '100', '--prefetch', '100'],
    shows: 'requests',
    peers: RPC_PEERS,
    full: { n: 20_000, warmup: 5_000, repeats: 7 },
    quick: { n: 4_000, warmup: 1_500, repeats: 1 },
  },
  {
    id: 'rpc-latency',
    title: 'Requests and replies between two processes, 200 a second',
    broker: 'real',
    folder: 'rpc',
    args: ['rpc-latency', '--rate', '200', '--prefetch', '100'],
    shows: 'replies',
    peers: RPC_PEERS,
    full: { n: 2_000, warmup: 400, repeats: 5 },
    quick: { n: 300, warmup: 100, repeats: 1 },
  },
];

/** @param {Pick<Scenario, 'folder'>} scenario  true if it asks and replies, between two processes */
export const areRequests = ({ folder }) => folder === 'rpc';

/** @param {Pick<Scenario, 'folder'>} scenario  what it counts */
export const unitOf = (scenario) => (areRequests(scenario) ? 'requests' : 'messages');

/** On the real broker a quick run compares only what the verdict is about. */
export const QUICK_PEERS = ['amqplib', 'amqplib-batch', 'amqplib-nodelay', 'hopline'];
