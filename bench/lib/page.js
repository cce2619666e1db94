import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unitOf } from '../scenarios.js';
import { BENCH } from './json-line.js';
import { barChart } from './svg.js';
import { LEADING, numberText, rankedRows } from './tables.js';

/** @typedef {import('./collect.js').Outcome} Outcome */

const DOCS = resolve(BENCH, '../docs');
const PAGE = join(DOCS, 'performance.md');

/**
 * Which tables of the page: those of messages, or those of requests, which can be made alone.
 *
 * @typedef {'bench' | 'bench of requests'} Mark
 */

/** Puts the tables where the page has room for them; its prose stays. @param {string} tables @param {Mark} [mark] */
export function writePage(tables, mark) {
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), tables, mark));
}

/** @param {string} page @param {string} tables @param {Mark} [mark] @throws Error if the page has no room */
export function withTables(page, tables, mark = 'bench') {
  const [beginMark, endMark] = ['begin', 'end'].map((which) => `<!-- ${mark}: ${which} -->`);
  const begin = page.indexOf(beginMark);
  const end = page.indexOf(endMark);
  if (begin < 0 || end < begin)
    throw new Error(`expected ${beginMark} and ${endMark} in docs/performance.md`);
  return `${page.slice(0, begin + beginMark.length)}\n\n${tables}\n\n${page.slice(end)}`;
}

/** A file for each scenario. @param {readonly Outcome[]} outcomes */
export function writePlots(outcomes) {
  mkdirSync(join(DOCS, 'performance'), { recursive: true });
  for (const outcome of outcomes) writeFileSync(join(DOCS, plotOf(outcome)), plot(outcome));
}

/** @param {Outcome} outcome */
export const plotOf = ({ scenario }) => `performance/${scenario.id}.svg`;

/** @param {Outcome} outcome */
export function plot(outcome) {
  const { scenario, n, repeats } = outcome;
  const { head, figure, better, digits } = LEADING[scenario.shows];
  const bars = rankedRows(outcome)
    .filter(({ figures }) => figures[figure])
    .map(({ peer, figures }) => ({ label: peer.name, spread: figures[figure], ours: peer.kind === 'ours' }));
  return barChart({
    title: scenario.title,
    note: `${head}; ${better} is better. Median, least and most of ${repeats} × ${numberText(n)} ${unitOf(scenario)}.`,
    bars,
    text: (value) => numberText(value, digits),
  });
}
