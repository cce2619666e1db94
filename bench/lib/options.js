import { parseArgs } from 'node:util';

export const MODES = ['publish', 'consume', 'e2e', 'fanout', 'latency', 'packs', 'rpc', 'rpc-latency'];

/**
 * @typedef {object} Options  of one run of one peer
 * @property {'publish' | 'consume' | 'e2e' | 'fanout' | 'latency' | 'packs' | 'rpc' | 'rpc-latency'} mode
 * @property {number} n  messages that are measured
 * @property {number} warmup  messages before them, in which the code becomes hot
 * @property {number} size  bytes of a body
 * @property {'classic' | 'quorum'} queue
 * @property {number} prefetch
 * @property {number} window  publishes that wait for their confirm, or requests for their reply, at once
 * @property {number} rate  publishes or requests a second, in the modes of latency
 * @property {number} pack  payloads a message, in mode packs
 * @property {'each' | 'batch'} ack
 * @property {boolean} noDelay  for clients that bundle small writes unless told otherwise
 * @property {boolean} validate
 * @property {boolean} metrics  with those of Hopline attached
 * @property {boolean} canned  the broker brings messages by itself: nothing is put into the queue before
 * @property {number} [brokerPid]  process of the broker, whose CPU time is read from /proc
 * @property {string} url
 * @property {string} redis  for peers that need one
 */

const DEFAULT_WARMUP = 20_000;

/** What every peer takes. @param {string[]} args @returns {Options} */
export function parseOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      n: { type: 'string', default: '100000' },
      warmup: { type: 'string' },
      size: { type: 'string', default: '281' },
      queue: { type: 'string', default: 'classic' },
      prefetch: { type: 'string', default: '100' },
      window: { type: 'string', default: '1000' },
      rate: { type: 'string', default: '200' },
      pack: { type: 'string', default: '100' },
      ack: { type: 'string', default: 'each' },
      validate: { type: 'boolean', default: false },
      metrics: { type: 'boolean', default: false },
      'no-delay': { type: 'boolean', default: false },
      canned: { type: 'boolean', default: false },
      'broker-pid': { type: 'string' },
      url: { type: 'string', default: 'amqp://guest:guest@127.0.0.1:5672' },
      redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    },
  });
  const [mode] = positionals;
  if (!MODES.includes(mode)) throw new Error(`expected a mode (${MODES.join(', ')}), got ${mode}`);
  oneOf('queue', values.queue, 'classic', 'quorum');
  oneOf('ack', values.ack, 'each', 'batch');
  const numbers = numbersOf(values);
  const pid = values['broker-pid'];
  return /** @type {Options} */ ({
    ...values,
    ...numbers,
    noDelay: values['no-delay'],
    brokerPid: pid === undefined ? undefined : positive('broker-pid', pid),
    warmup:
      values.warmup === undefined ? Math.min(numbers.n, DEFAULT_WARMUP) : positive('warmup', values.warmup),
    mode,
  });
}

/** @param {Record<string, unknown>} values */
function numbersOf(values) {
  const of = (/** @type {string} */ name) => positive(name, values[name]);
  return {
    n: of('n'),
    size: of('size'),
    prefetch: of('prefetch'),
    window: of('window'),
    rate: of('rate'),
    pack: of('pack'),
  };
}

/** @param {string} name @param {unknown} value */
function positive(name, value) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`expected --${name} to be a positive integer, got ${value}`);
  return number;
}

/** @param {string} name @param {unknown} value @param {...string} allowed */
function oneOf(name, value, ...allowed) {
  if (!allowed.includes(String(value)))
    throw new Error(`expected --${name} to be ${allowed.join(' or ')}, got ${value}`);
}
