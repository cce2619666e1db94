import Table from 'cli-table3';
import type { Balance, Entry } from './account.js';
import type { HandlerTally, Tally } from './tally.js';

/** How many messages are listed one by one. */
const LISTED = 20;

const number = new Intl.NumberFormat('en-US');
const count = (value: number): string => number.format(value);

/** The final table: a line for each handler. */
export function tableOf({ expectedIn }: Balance, tally: Tally): string {
  const table = new Table({
    head: ['queue', 'matching', 'handler', 'handled', 'retried', 'dead-lettered', 'p50', 'p99'],
    colAligns: ['left', 'right', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  tally.handlers.forEach((handler, index, all) => {
    const isFirst = all[index - 1]?.queue !== handler.queue;
    const queueCells = isFirst ? [handler.queue, count(expectedIn.get(handler.queue) ?? 0)] : ['', ''];
    table.push([...queueCells, ...cellsOf(handler)]);
  });
  return table.toString();
}

function cellsOf({ handler, handled, retried, deadLettered, latencies }: HandlerTally): string[] {
  const numbers = [handled, retried, deadLettered].map(count);
  return [handler, ...numbers, percentile(latencies, 0.5), percentile(latencies, 0.99)];
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? '–' : `${count(value)} ms`;
}

/** The account in words. Its last line says whether it balances. */
export function accountLines(balance: Balance, tally: Tally, rejected: number): string[] {
  const lines = [`events in: ${count(balance.published)}${rejected ? `; rejected: ${count(rejected)}` : ''}`];
  const reasons = [...tally.reasons].map(([where, times]) => `${count(times)} ${where}`);
  if (reasons.length > 0) lines.push(`dead letters: ${reasons.join(', ')}`);
  if (balance.duplicates > 0)
    lines.push(`duplicates: ${count(balance.duplicates)} (at least once: allowed, and not counted below)`);
  if (balance.foreign > 0)
    lines.push(`from an earlier run: ${count(balance.foreign)} (left in the queues; not counted below)`);
  if (balance.unconfirmed.length > 0)
    lines.push(
      `not confirmed: ${count(balance.unconfirmed.length)} events, the first ${balance.unconfirmed[0]}`,
    );
  lines.push(
    ...listed('missing', balance.missing),
    ...listed('unexplained', balance.surplus),
    sumOf(balance),
  );
  return lines;
}

function sumOf({ published, expected, handled, deadLettered, missing, surplus, balanced }: Balance): string {
  return (
    `${count(published)} published × matching queues = ${count(expected)} = ` +
    `${count(handled)} handled + ${count(deadLettered)} dead-lettered` +
    `${missing.length > 0 ? ` + ${count(missing.length)} missing` : ''}; ` +
    `${surplus.length === 0 ? 'nothing' : count(surplus.length)} unexplained: ` +
    `${balanced ? 'the account balances' : 'the account does NOT balance'}`
  );
}

function listed(what: string, entries: readonly Entry[]): string[] {
  const lines = entries
    .slice(0, LISTED)
    .map(({ messageId, key, queue }) => `${what}: ${messageId} (${key}) in ${queue}`);
  const more = entries.length - lines.length;
  return more > 0 ? [...lines, `${what}: ${count(more)} more`] : lines;
}
