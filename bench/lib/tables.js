/** @typedef {import('./collect.js').Outcome} Outcome @typedef {import('./collect.js').Row} Row @typedef {import('./statistics.js').Spread} Spread */

/**
 * @typedef {object} Column
 * @property {string} head
 * @property {string} figure
 * @property {number} [digits]
 */

/** @type {Record<string, Column>} */
const COLUMN = {
  perSecond: { head: 'messages/s', figure: 'perSecond' },
  cpu: { head: 'client CPU, µs a message', figure: 'cpuPerMessageUs', digits: 1 },
  broker: { head: 'broker CPU, µs a message', figure: 'brokerCpuPerMessageUs', digits: 1 },
  all: { head: 'both, µs', figure: 'allCpuPerMessageUs', digits: 1 },
  p50: { head: 'p50, ms', figure: 'p50Ms', digits: 2 },
  p99: { head: 'p99, ms', figure: 'p99Ms', digits: 2 },
  rss: { head: 'memory, MB', figure: 'maxRssMb' },
  requests: { head: 'requests/s', figure: 'perSecond' },
  bothCpu: { head: 'client CPU, µs a request', figure: 'cpuPerMessageUs', digits: 1 },
  requester: { head: 'the requester’s', figure: 'requesterCpuUs', digits: 1 },
  responder: { head: 'the responder’s', figure: 'responderCpuUs', digits: 1 },
  brokerRequest: { head: 'broker CPU, µs a request', figure: 'brokerCpuPerMessageUs', digits: 1 },
};

const RPC_CPU = [COLUMN.bothCpu, COLUMN.requester, COLUMN.responder, COLUMN.brokerRequest];

const COLUMNS = {
  cpu: [COLUMN.cpu, COLUMN.perSecond, COLUMN.rss],
  throughput: [COLUMN.perSecond, COLUMN.cpu, COLUMN.broker, COLUMN.all],
  latency: [COLUMN.p50, COLUMN.p99, COLUMN.cpu, COLUMN.broker],
  requests: [COLUMN.requests, ...RPC_CPU, COLUMN.p50, COLUMN.p99, COLUMN.rss],
  replies: [COLUMN.p50, COLUMN.p99, ...RPC_CPU],
};

/** What a scenario's ratio and plot are about. */
export const LEADING = {
  cpu: { ...COLUMN.cpu, better: 'less' },
  throughput: { ...COLUMN.perSecond, better: 'more' },
  latency: { ...COLUMN.p50, better: 'less' },
  requests: { ...COLUMN.requests, better: 'more' },
  replies: { ...COLUMN.p50, better: 'less' },
};

/** Best first, what has failed last. @param {Outcome} outcome */
export function rankedRows({ scenario, rows }) {
  const { figure, better } = LEADING[scenario.shows];
  const rank = (/** @type {Row} */ row) => {
    const value = row.figures[figure]?.median;
    if (value === undefined) return Number.POSITIVE_INFINITY;
    return better === 'more' ? -value : value;
  };
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

/** One scenario as a Markdown table. @param {Outcome} outcome */
export function scenarioTable(outcome) {
  const shows = outcome.scenario.shows;
  const columns = COLUMNS[shows].filter(({ figure }) => outcome.rows.some(({ figures }) => figures[figure]));
  const head = ['', ...columns.map(({ head: text }) => text), '× amqplib'];
  const lines = rankedRows(outcome).map((row) => {
    if (row.failure)
      return [row.peer.name, ...columns.map(() => '–'), `**left out**: ${oneLine(row.failure)}`];
    const ratio = row.ratios[LEADING[shows].figure];
    return [
      row.peer.kind === 'ours' ? `**${row.peer.name}**` : row.peer.name,
      ...columns.map(({ figure, digits }) => spreadText(row.figures[figure], digits)),
      ratio ? spreadText(ratio, 2) : '–',
    ];
  });
  return markdownTable(head, lines);
}

/** The median, and from where to where the repeats went. @param {Spread | undefined} spread @param {number} [digits] */
export function spreadText(spread, digits = 0) {
  if (!spread) return '–';
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) =>
    numberText(value, digits),
  );
  return min === max ? median : `${median} (${min}–${max})`;
}

/** @param {number} value @param {number} [digits] */
export const numberText = (value, digits = 0) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} lines */
export function markdownTable(head, lines) {
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {string} text */
const oneLine = (text) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 200);
