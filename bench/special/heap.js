import { Bus, rabbitmq } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';
import { spread } from '../lib/statistics.js';
import { ownPrefix, printResult, specialArguments } from './arguments.js';

/**
 * `node --expose-gc bench/special/heap.js --n 1000000`: consumes from the null broker, and looks every tenth part at the
 * heap that a forced collection leaves. The first two looks are the warm-up's.
 */

const LOOKS = 12;
const WARM = 2;
const PREFETCH = 100;

const { gc } = globalThis;
if (!gc) throw new Error('run it with node --expose-gc');

const { url, n } = specialArguments();
const prefix = ownPrefix();
const every = Math.floor(n / (LOOKS - WARM));
/** @type {number[]} */
const heaps = [];
let handled = 0;
/** @type {(value?: unknown) => void} */
let done;
const finished = new Promise((resolve) => {
  done = resolve;
});

class HeapHandler {
  handle() {
    handled += 1;
    if (handled % every !== 0 || heaps.length === LOOKS) return;
    gc?.();
    heaps.push(process.memoryUsage().heapUsed / 1024 / 1024);
    if (heaps.length === LOOKS) done();
  }
}
Handles('bench.event')(HeapHandler);
Queue({ name: `${prefix}.heap`, concurrency: PREFETCH, prefetch: PREFETCH })(HeapHandler);

const bus = new Bus({
  service: 'bench',
  prefix,
  transport: rabbitmq({ url }),
  handlers: handlers([HeapHandler]),
});
await bus.start();
await finished;
await bus.stop();
const warm = heaps.slice(WARM);
const { median, min, max } = spread(warm);
printResult({
  special: 'heap',
  n: handled,
  firstMb: warm[0],
  lastMb: warm.at(-1),
  growth: (warm.at(-1) ?? 0) / warm[0] - 1,
  deviation: Math.max(max - median, median - min) / median,
});
process.exit(0);
