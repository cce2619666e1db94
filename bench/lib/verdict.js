import { markdownTable, numberText } from './tables.js';

/**
 * @typedef {import('./collect.js').Outcome} Outcome
 * @typedef {import('./specials.js').Specials} Specials
 * @typedef {{ figures: (scenario: string, peer: string) => Record<string, number> | undefined, best: (scenario: string, figure: string, better: 'more' | 'less') => { name: string, value: number } | undefined, specials: Specials }} Measured
 * @typedef {{ what: string, reach: string, judge: (measured: Measured) => Judgement | undefined }} Line
 * @typedef {{ said: string, holds: boolean }} Judgement
 */

/** Others may be this much better before it counts: what repeats differ by on a quiet machine. */
const NOISE = 0.05;

/** @param {number} value */
const times = (value) => `${value.toFixed(2)} ×`;

/** Our figure over another's, if both are there. @param {Measured} measured @param {string} scenario @param {string} other @param {string} figure */
function ratio({ figures }, scenario, other, figure) {
  const own = figures(scenario, 'hopline')?.[figure];
  const theirs = figures(scenario, other)?.[figure];
  return own === undefined || theirs === undefined ? undefined : own / theirs;
}

/** @param {string} scenario @param {string} other @param {string} figure @param {{ atMost?: number, atLeast?: number }} bound @returns {Line['judge']} */
const against =
  (scenario, other, figure, { atMost, atLeast }) =>
  (measured) => {
    const value = ratio(measured, scenario, other, figure);
    if (value === undefined) return undefined;
    return { said: times(value), holds: atMost === undefined ? value >= (atLeast ?? 0) : value <= atMost };
  };

/** @param {string} scenario @param {string} figure @param {'more' | 'less'} better @returns {Line['judge']} */
const amongPeers = (scenario, figure, better) => (measured) => {
  const own = measured.figures(scenario, 'hopline')?.[figure];
  const best = measured.best(scenario, figure, better);
  if (own === undefined || !best) return undefined;
  const holds = better === 'more' ? own >= best.value * (1 - NOISE) : own <= best.value * (1 + NOISE);
  const digits = own < 1_000 ? 1 : 0;
  return { said: `${numberText(own, digits)}; ${best.name} ${numberText(best.value, digits)}`, holds };
};

/** @type {readonly Line[]} */
const LINES = [
  {
    what: 'consume, null broker, CPU',
    reach: '≤ 0.6 × amqplib, ack each',
    judge: against('consume-null', 'amqplib', 'cpuPerMessageUs', { atMost: 0.6 }),
  },
  {
    what: 'consume, null broker, CPU',
    reach: 'the best of all Node clients',
    judge: amongPeers('consume-null', 'cpuPerMessageUs', 'less'),
  },
  {
    what: 'publish, null broker, CPU',
    reach: '≤ 0.9 × amqplib',
    judge: against('publish-null', 'amqplib', 'cpuPerMessageUs', { atMost: 0.9 }),
  },
  ...[
    { queue: 'classic', faster: 1.4, cheaper: 0.7 },
    { queue: 'quorum', faster: 1.5, cheaper: 0.5 },
  ].flatMap(({ queue, faster, cheaper }) => [
    {
      what: `consume, ${queue} queue`,
      reach: `≥ ${faster} × amqplib, ack each`,
      judge: against(`consume-${queue}`, 'amqplib', 'perSecond', { atLeast: faster }),
    },
    {
      what: `consume, ${queue} queue`,
      reach: `broker CPU ≤ ${cheaper} ×`,
      judge: against(`consume-${queue}`, 'amqplib', 'brokerCpuPerMessageUs', { atMost: cheaper }),
    },
  ]),
  {
    what: 'consume, classic queue',
    reach: '≥ 0.7 × C with batched acks',
    judge: against('consume-classic', 'librabbitmq-batch', 'perSecond', { atLeast: 0.7 }),
  },
  ...['classic', 'quorum'].flatMap((queue) => [
    {
      what: `publish, ${queue} queue`,
      reach: '≥ 0.95 × amqplib',
      judge: against(`publish-${queue}`, 'amqplib', 'perSecond', { atLeast: 0.95 }),
    },
    {
      what: `publish, ${queue} queue`,
      reach: '≥ every Node client, within noise',
      judge: amongPeers(`publish-${queue}`, 'perSecond', 'more'),
    },
  ]),
  {
    what: 'end to end, client and broker CPU',
    reach: '≤ 0.9 × amqplib, ack each',
    judge: against('e2e', 'amqplib', 'allCpuPerMessageUs', { atMost: 0.9 }),
  },
  {
    what: 'packs of 100, end to end',
    reach: '≥ 8 × amqplib with batched acks',
    judge: ({ figures }) => {
      const own = figures('packs', 'hopline')?.perSecond;
      const theirs = figures('e2e', 'amqplib-batch')?.perSecond;
      return own && theirs ? { said: times(own / theirs), holds: own / theirs >= 8 } : undefined;
    },
  },
  {
    what: '7 kB at 200 a second',
    reach: 'p50 ≤ 3 ms',
    judge: ({ figures }) => {
      const p50 = figures('latency', 'hopline')?.p50Ms;
      return p50 === undefined ? undefined : { said: `${p50.toFixed(2)} ms`, holds: p50 <= 3 };
    },
  },
  {
    what: '7 kB at 200 a second',
    reach: 'CPU ≤ 1.1 × amqplib with noDelay',
    judge: against('latency', 'amqplib-nodelay', 'cpuPerMessageUs', { atMost: 1.1 }),
  },
  {
    what: '1,000 patterns against 10',
    reach: 'dispatch ≤ 1.5 ×',
    judge: ({ specials: { patterns = [] } }) => {
      const [few, many] = patterns;
      if (!few?.seenUs || !many?.seenUs) return undefined;
      const seen = many.seenUs / few.seenUs;
      const fresh = many.freshUs / few.freshUs;
      return {
        said: `${times(seen)} for keys seen before, ${times(fresh)} for new ones`,
        holds: Math.max(seen, fresh) <= 1.5,
      };
    },
  },
  {
    what: 'a million messages',
    reach: 'heap flat within 5 %',
    judge: ({ specials: { heap: [result] = [] } }) =>
      result?.deviation === undefined
        ? undefined
        : {
            said: `${(result.deviation * 100).toFixed(1)} % over ${numberText(result.n)}`,
            holds: result.deviation <= 0.05,
          },
  },
  {
    what: '100,000 publishes at once against 10,000',
    reach: '≥ 0.5 × as fast, heap flat within 5 %',
    judge: ({ specials: { pressure = [] } }) => {
      const few = pressure.find(({ count }) => count === 10_000);
      const many = pressure.find(({ count }) => count === 100_000);
      if (!few?.perSecond || !many?.perSecond) return undefined;
      const value = many.perSecond / few.perSecond;
      return {
        said: `${times(value)}, heap ${many.growth > 0 ? '+' : ''}${(many.growth * 100).toFixed(1)} %`,
        holds: value >= 0.5 && many.growth <= 0.05,
      };
    },
  },
  ...[
    { count: 50, withinMs: 500 },
    { count: 500, withinMs: 3_000 },
  ].map(({ count, withinMs }) => ({
    what: `start with ${count} handlers, broker warm`,
    reach: `≤ ${numberText(withinMs)} ms`,
    judge: (/** @type {Measured} */ { specials: { start = [] } }) => {
      const result = start.find((each) => each.count === count);
      return (
        result && {
          said: `${result.againMs} ms (${result.newMs} ms with new queues)`,
          holds: result.againMs <= withinMs,
        }
      );
    },
  })),
];

/** Of requests, which are reported alone. @type {readonly Line[]} */
const LINES_OF_REQUESTS = [
  ...[
    { what: 'requests a second', reach: '≥ 1.3 × golevelup', figure: 'perSecond', bound: { atLeast: 1.3 } },
    {
      what: 'requests, client CPU of both processes',
      reach: '≤ 0.8 × golevelup',
      figure: 'cpuPerMessageUs',
      bound: { atMost: 0.8 },
    },
    { what: 'requests, p99 under load', reach: '≤ golevelup', figure: 'p99Ms', bound: { atMost: 1 } },
  ].map(({ what, reach, figure, bound }) => ({
    what,
    reach,
    judge: against('rpc', 'golevelup', figure, bound),
  })),
  {
    what: 'requests, p99 at 200 a second',
    reach: '≤ golevelup',
    judge: against('rpc-latency', 'golevelup', 'p99Ms', { atMost: 1 }),
  },
];

/**
 * Each line of what was promised, with what came of it in this run.
 *
 * @param {readonly Outcome[]} outcomes
 * @param {Specials} specials
 * @param {{ unmeasured?: boolean }} [show]  false leaves out what this run has not looked at
 */
export function verdictTable(outcomes, specials, { unmeasured = true } = {}) {
  const measured = measuredFrom(outcomes, specials);
  const lines = [...LINES, ...(unmeasured ? [] : LINES_OF_REQUESTS)].flatMap(({ what, reach, judge }) => {
    const judgement = judge(measured);
    if (judgement) return [[what, reach, judgement.said, judgement.holds ? 'yes' : '**no**']];
    return unmeasured ? [[what, reach, 'not measured', '–']] : [];
  });
  return markdownTable(['', 'to reach', 'measured', 'holds'], lines);
}

/** @param {readonly Outcome[]} outcomes @param {Specials} specials @returns {Measured} */
function measuredFrom(outcomes, specials) {
  const rowsOf = (/** @type {string} */ id) =>
    outcomes.find(({ scenario }) => scenario.id === id)?.rows ?? [];
  const medians = (/** @type {import('./collect.js').Row} */ { figures }) =>
    Object.fromEntries(Object.entries(figures).map(([name, { median }]) => [name, median]));
  return {
    specials,
    figures: (scenario, peer) => {
      const row = rowsOf(scenario).find((each) => each.peer.id === peer && !each.failure);
      return row && medians(row);
    },
    best: (scenario, figure, better) => {
      const others = rowsOf(scenario)
        .filter(({ peer, failure }) => !failure && (peer.kind === 'peer' || peer.kind === 'raw'))
        .map((row) => ({ name: row.peer.name, value: medians(row)[figure] }))
        .sort((a, b) => (better === 'more' ? b.value - a.value : a.value - b.value));
      return others[0];
    },
  };
}
