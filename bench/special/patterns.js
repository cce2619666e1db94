import { Bus, memory } from 'hopline';
import { Meter } from '../lib/meter.js';
import { printResult, specialArguments } from './arguments.js';

/**
 * `node bench/special/patterns.js --count 1000`: what it costs to find the handler of a routing key among this many patterns
 * of one queue. It asks the dispatch table itself, since beside a delivery's whole way its share would hardly show.
 */

/** As many as the table remembers, and far more. */
const KEYS = { seen: 1_000, fresh: 20_000 };

const { n, count } = specialArguments();

/** A third each: one word open, plain, the rest open. @param {number} index */
const patternOf = (index) =>
  [`area-${index}.*.created`, `area-${index}.order.changed`, `area-${index}.log.#`][index % 3];

/** Ids in keys make many of them. @param {string} pattern @param {number} id */
const keyOf = (pattern, id) => pattern.replace('*', `id-${id}`).replace('#', `line.${id}`);

// Not a public name: what is asked here is how fast one part is.
const { Registry } = await import(
  new URL('../../dist/src/consume/handlers/registry.js', import.meta.url).href
);

const patterns = Array.from({ length: count }, (_, index) => patternOf(index));
const handlers = patterns.map((pattern) => ({ routes: [{ pattern, definition: undefined }] }));
const registry = new Registry(handlers);
const open = patterns.filter((pattern) => /[*#]/.test(pattern));

// The bus takes them, too: patterns that it refused would be measured for nothing.
const bus = new Bus({ service: 'patterns', transport: memory() });
bus.handle(patterns, () => {});
bus.describe();

/** @param {readonly string[]} keys @returns {number} µs a key */
function costOf(keys) {
  const find = (/** @type {number} */ times) => {
    let found = 0;
    for (let at = 0; at < times; at += 1) if (registry.find(keys[at % keys.length])) found += 1;
    if (found !== times) throw new Error(`${times - found} keys have led nowhere`);
  };
  const meter = new Meter();
  find(n);
  meter.start();
  find(n);
  const { cpuUserMs, cpuSystemMs } = meter.stop(n);
  return ((cpuUserMs + cpuSystemMs) * 1_000) / n;
}

const seen = Array.from({ length: KEYS.seen }, (_, index) => keyOf(patterns[index % count], index % 50));
const fresh = Array.from({ length: KEYS.fresh }, (_, index) => keyOf(open[index % open.length], index));
printResult({ special: 'patterns', count, n, seenUs: costOf(seen), freshUs: costOf(fresh) });
