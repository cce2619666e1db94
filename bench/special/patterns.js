import { Bus, memory } from 'hopline';
import { Meter } from '../lib/meter.js';
import { printResult, specialArguments } from './arguments.js';

/**
 * `node bench/special/patterns.js --count 1000`: what it costs to find the handler of a routing key among this many patterns
 * of one queue. It asks the dispatch table itself, since beside a delivery's whole way its share would hardly show.
 */

const KEYS = 6_000;

const { n, count } = specialArguments();

/** A third each: one word open, plain, the rest open. @param {number} index */
const patternOf = (index) =>
  [`area-${index}.*.created`, `area-${index}.order.changed`, `area-${index}.log.#`][index % 3];

/** Ids in keys make more of them than the table remembers, so that it has to look. @param {number} index */
const keyOf = (index) =>
  `${patternOf(index % count)
    .replace('*', `id-${index}`)
    .replace('#', `line.${index}`)}`;

// Not a public name: what is asked here is how fast one part is.
const { Registry } = await import(new URL('../../dist/src/consume/registry.js', import.meta.url).href);

const patterns = Array.from({ length: count }, (_, index) => patternOf(index));
const handlers = patterns.map((pattern) => ({ routes: [{ pattern, definition: undefined }] }));
const registry = new Registry(handlers);
const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));

// The bus takes them, too: patterns that it refused would be measured for nothing.
const bus = new Bus({ service: 'patterns', transport: memory() });
bus.handle(patterns, () => {});
bus.describe();

const meter = new Meter();
const find = (/** @type {number} */ times) => {
  let found = 0;
  for (let at = 0; at < times; at += 1) if (registry.find(keys[at % keys.length])) found += 1;
  if (found !== times) throw new Error(`${times - found} keys have led nowhere`);
};
find(n);
meter.start();
find(n);
const { cpuUserMs, cpuSystemMs } = meter.stop(n);
printResult({ special: 'patterns', count, n, dispatchUs: ((cpuUserMs + cpuSystemMs) * 1_000) / n });
