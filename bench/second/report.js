import { spread } from '../lib/statistics.js';
import { markdownTable, numberText } from '../lib/tables.js';

/**
 * @typedef {'perSecond' | 'client' | 'rabbitmq' | 'redis' | 'postgres' | 'all' | 'rss'} Figure
 * @typedef {Partial<Record<Figure, number>> & { failure?: string }} Run
 * @typedef {{ name: string, figures: Partial<Record<Figure, import('../lib/statistics.js').Spread>>, failure?: string }} CaseOutcome
 * @typedef {{ id: string, title: string, unit: string, cases: CaseOutcome[], reach: { said: string, holds: boolean | undefined }[] }} Outcome
 */

/** @type {Record<Figure, (unit: string) => string>} */
const HEADS = {
  perSecond: (unit) => `${unit}s/s`,
  client: (unit) => `client CPU, µs a ${unit}`,
  rabbitmq: () => 'RabbitMQ',
  redis: () => 'Redis',
  postgres: () => 'PostgreSQL',
  all: () => 'all CPU',
  rss: () => 'memory, MB',
};
const FIGURES = /** @type {Figure[]} */ (Object.keys(HEADS));
const CPU = /** @type {const} */ (['client', 'rabbitmq', 'redis', 'postgres']);

/** @param {import('./rows.js').Row} row @param {Record<string, Run[]>} runs @returns {Outcome} */
export function outcomeOf({ id, title, unit, reach }, runs) {
  const cases = Object.entries(runs).map(([name, all]) => caseOf(name, all));
  return { id, title, unit, cases, reach: reach.map((each) => judged(each, cases)) };
}

/** @param {string} name @param {Run[]} runs @returns {CaseOutcome} */
function caseOf(name, runs) {
  const failure = runs.find((run) => run.failure)?.failure;
  if (failure) return { name, figures: {}, failure };
  const whole = runs.map((run) => ({ ...run, all: CPU.reduce((sum, part) => sum + (run[part] ?? 0), 0) }));
  const known = FIGURES.filter((figure) => whole.every((run) => run[figure] !== undefined));
  const figures = known.map((figure) => [
    figure,
    spread(whole.map((run) => /** @type {number} */ (run[figure]))),
  ]);
  return { name, figures: Object.fromEntries(figures) };
}

/** Our case, the first, against what it has to reach. @param {import('./rows.js').Reach} reach @param {CaseOutcome[]} cases */
function judged({ figure, of, atLeast, atMost }, cases) {
  const own = cases[0]?.figures[figure]?.median;
  const other = of === undefined ? 1 : cases.find(({ name }) => name === of)?.figures[figure]?.median;
  const value = own === undefined || other === undefined ? undefined : own / other;
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  const unit = of === undefined ? '' : ` × ${of}`;
  const said = `${figure} ${value === undefined ? '?' : numberText(value, value < 10 ? 2 : 1)}${unit}, to reach ${bound}`;
  if (value === undefined) return { said, holds: undefined };
  return { said, holds: atLeast === undefined ? value <= (atMost ?? 0) : value >= atLeast };
}

/** @param {readonly Outcome[]} outcomes */
export function secondTables(outcomes) {
  return outcomes.map(table).join('\n\n');
}

/** @param {Outcome} outcome */
function table({ title, unit, cases, reach }) {
  const shown = FIGURES.filter((figure) => cases.some(({ figures }) => figures[figure]));
  const rows = cases.map(({ name, figures, failure }) => [
    name,
    ...(failure ? [failure] : shown.map((figure) => textOf(figure, figures[figure]))),
  ]);
  const lines = reach.map(
    ({ said, holds }) =>
      `- ${said}: ${holds ? 'holds' : holds === undefined ? 'not measured' : 'falls short'}`,
  );
  return [
    `### ${title}`,
    markdownTable(['', ...shown.map((figure) => HEADS[figure](unit))], rows),
    lines.join('\n'),
  ].join('\n\n');
}

/** Median, and least to most. @param {Figure} figure @param {import('../lib/statistics.js').Spread | undefined} value */
function textOf(figure, value) {
  if (!value) return '–';
  const digits = figure === 'perSecond' || figure === 'rss' ? 0 : 1;
  const [median, min, max] = [value.median, value.min, value.max].map((each) => numberText(each, digits));
  return min === max ? median : `${median} (${min}–${max})`;
}
