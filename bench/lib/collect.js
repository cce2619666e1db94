import { join } from 'node:path';
import { BASE } from '../peers.js';
import { jsonLineOf } from './json-line.js';
import { spread } from './statistics.js';

/**
 * @typedef {import('./statistics.js').Spread} Spread
 * @typedef {import('../peers.js').PeerEntry} PeerEntry
 * @typedef {import('../scenarios.js').Scenario} Scenario
 *
 * @typedef {object} Row  what one peer did in one scenario, over all repeats
 * @property {PeerEntry} peer
 * @property {Record<string, Spread>} figures
 * @property {Record<string, Spread>} ratios  to the base, repeat by repeat
 * @property {string} [failure]  why there is nothing to show
 *
 * @typedef {{ scenario: Scenario, rows: Row[], n: number, repeats: number }} Outcome
 */

/**
 * Runs the peers in turn, A B C A B C, so that what else the machine does falls on all of them.
 *
 * @param {Scenario} scenario
 * @param {{
 *   peers: readonly PeerEntry[],
 *   size: import('../scenarios.js').Size,
 *   brokerArgs: (peer: PeerEntry) => string[] | undefined,
 *   say: (line: string) => void,
 * }} run
 * @returns {Promise<Outcome>}
 */
export async function collect(scenario, { peers, size, brokerArgs, say }) {
  const { n, warmup, repeats } = size;
  /** @type {Map<string, Record<string, any>[]>} */
  const results = new Map(peers.map(({ id }) => [id, []]));
  /** @type {Map<string, string>} */
  const failures = new Map();
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    for (const peer of peers) {
      if (failures.has(peer.id)) continue;
      const broker = brokerArgs(peer);
      say(`${scenario.id} ${repeat}/${repeats}: ${peer.name}`);
      const args = [
        ...scenario.args,
        '--n',
        String(n),
        '--warmup',
        String(warmup),
        ...(broker ?? []),
        ...peer.args,
      ];
      try {
        if (!broker) throw new Error('left out: its broker is not installed');
        results.get(peer.id)?.push(await jsonLineOf(join(scenario.folder ?? '', peer.file), args));
      } catch (error) {
        failures.set(peer.id, /** @type {Error} */ (error).message);
      }
    }
  }
  const rows = peers.map((peer) => rowOf(peer, results, failures.get(peer.id)));
  return { scenario, rows, n, repeats };
}

/**
 * @param {PeerEntry} peer
 * @param {Map<string, Record<string, any>[]>} results
 * @param {string} [failure]
 * @returns {Row}
 */
function rowOf(peer, results, failure) {
  if (failure) return { peer, figures: {}, ratios: {}, failure };
  const own = (results.get(peer.id) ?? []).map(withTotals);
  const base = (results.get(BASE) ?? []).map(withTotals);
  const names = Object.keys(own[0] ?? {});
  const over = (/** @type {(name: string) => number[]} */ values) =>
    Object.fromEntries(names.map((name) => [name, spread(values(name))]));
  return {
    peer,
    figures: over((name) => own.map((result) => result[name])),
    ratios:
      base.length === own.length
        ? over((name) => own.map((result, at) => result[name] / base[at][name]))
        : {},
  };
}

/** The figures alone, and what follows from them. @param {Record<string, any>} result @returns {Record<string, number>} */
function withTotals(result) {
  const numbers = Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value === 'number'));
  const { cpuPerMessageUs, brokerCpuPerMessageUs } = numbers;
  if (brokerCpuPerMessageUs === undefined) return numbers;
  return { ...numbers, allCpuPerMessageUs: cpuPerMessageUs + brokerCpuPerMessageUs };
}
