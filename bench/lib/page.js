import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BENCH } from './json-line.js';
import { barChart } from './svg.js';
import { LEADING, numberText, rankedRows } from './tables.js';

/** @typedef {import('./collect.js').Outcome} Outcome */

const DOCS = resolve(BENCH, '../docs');
const PAGE = join(DOCS, 'performance.md');

const BEGIN = '<!-- bench: begin -->';
const END = '<!-- bench: end -->';

/** Puts the tables where the page has room for them; its prose stays. @param {string} tables */
export function writePage(tables) {
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), tables));
}

/** @param {string} page @param {string} tables @throws Error if the page has no room */
export function withTables(page, tables) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`expected ${BEGIN} and ${END} in docs/performance.md`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${page.slice(end)}`;
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
    note: `${head}; ${better} is better. Median, least and most of ${repeats} × ${numberText(n)} ${scenario.folder === 'rpc' ? 'requests' : 'messages'}.`,
    bars,
    text: (value) => numberText(value, digits),
  });
}
