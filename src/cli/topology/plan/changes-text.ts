import type { ValueDifference } from '../../../oversight/management/different.js';
import type { ManagedBinding } from '../../../oversight/management/managed.js';
import type { BindingPlan } from '../../../topology/plan.js';
import { countText } from '../../../util/text/count-text.js';
import type { Addition, Difference, Thing, TopologyChanges } from './changes.js';

/** Parts of the delays that are listed one by one; more are summed up. */
const MOST_OF_DELAYS = 10;

/** The same for the bindings by which Hopline itself leads messages to queues. */
const MOST_RETURNS = 3;

/** The changes as lines: `+` to be made, `!` there but otherwise, `?` not there and not ours, `-` for prune. */
export function changesText(changes: TopologyChanges): string[] {
  const { additions, differences, missing, unwanted, moving } = changes;
  return [
    ...[...new Set(additions.map(({ delays }) => delays))].flatMap((delays) =>
      additionsText(
        delays,
        additions.filter((each) => each.delays === delays),
      ),
    ),
    ...differences.flatMap(differenceText),
    ...missing.map((thing) => `? ${thingText(thing)}: not there, and not ours to make (declare: false)`),
    ...moving.map(
      (queue) =>
        `? queue '${queue}' is being migrated: what it is bound to was not looked at, hopline topology migrate ${queue} goes on with it`,
    ),
    ...unwanted.map(
      (each) => `- ${bindingText(each)}: no handler wants it, hopline topology prune removes it`,
    ),
  ];
}

/** Numbers of what the lines say: `12 to make, 1 otherwise, 40 unchanged`. */
export function summaryText({
  additions,
  differences,
  missing,
  unwanted,
  moving,
  unchanged,
  unseen,
}: TopologyChanges): string {
  const counts: [number, string][] = [
    [additions.length, 'to make'],
    [differences.length, 'there but otherwise'],
    [missing.length, 'of others not there'],
    [moving.length, 'being migrated'],
    [unwanted.length, 'for prune'],
  ];
  const said = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [
    ...(said.length === 0 ? ['nothing to make'] : said),
    `${unchanged} unchanged`,
    ...(unseen > 0 ? [`${countText(unseen, 'binding')} not seen`] : []),
  ].join(', ');
}

/** `3 exchanges, 2 queues and 7 bindings`. */
export function countsText(additions: readonly Addition[]): string {
  const kinds = ['exchange', 'queue', 'binding'] as const;
  const parts = kinds
    .map((kind) => [kind, additions.filter(({ thing }) => thing.kind === kind).length] as const)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => countText(count, kind));
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? 'nothing');
}

/** Of the delays, what is many is summed up. */
function additionsText(delays: string | undefined, all: readonly Addition[]): string[] {
  const bindings = all.filter(({ thing }) => thing.kind === 'binding');
  const others = all.filter(({ thing }) => thing.kind !== 'binding');
  const listed = (some: readonly Addition[]) => some.map(({ thing }) => `+ ${thingText(thing)}`);
  if (delays === undefined) {
    const returns = all.filter(({ isReturn }) => isReturn);
    if (returns.length <= MOST_RETURNS) return listed(all);
    const what = `+ ${countText(returns.length, 'binding')} by which retries, delayed messages and dead letters reach their queues`;
    return [...listed(all.filter(({ isReturn }) => !isReturn)), what];
  }
  if (all.length <= MOST_OF_DELAYS) return listed(all);
  const of = `+ delays ${delays}.*, for all applications of the vhost`;
  return others.length <= MOST_OF_DELAYS
    ? [...listed(others), `${of}: ${countsText(bindings)}`]
    : [`${of}: ${countsText(all)}`];
}

function thingText(thing: Thing): string {
  if (thing.kind === 'binding') return bindingText(thing);
  const { kind, name, type, arguments: its } = thing;
  const known = type === 'unknown' ? [] : [type];
  return [`${kind} '${name}'`, ...known, ...argumentsText(its)].join(', ');
}

function bindingText(binding: BindingPlan | ManagedBinding): string {
  const { source, destination, destinationType, pattern, arguments: its = {} } = binding;
  const how = [`'${pattern}'`, ...argumentsText(its)].join(', ');
  return `binding ${how} of exchange '${source}' → ${destinationType} '${destination}'`;
}

const argumentsText = (table: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(table).map(([name, value]) => `${name} = ${valueText(value)}`);

function differenceText(difference: Difference): string[] {
  const { kind, name, differences, isRefused } = difference;
  const then = isRefused ? 'a start is refused' : 'a start goes on with what is there';
  return [
    `! ${kind} '${name}' is there, but otherwise: ${then}`,
    ...differences.map((each) => `    ${valuesText(each)}`),
    `    ${cureOf(difference)}`,
  ];
}

const valuesText = ({ what, is, wanted }: ValueDifference): string =>
  `${what} is ${valueText(is)}, wanted ${valueText(wanted)}`;

const valueText = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value));

function cureOf({ kind, isRefused, workQueue, isMigrated }: Difference): string {
  if (isMigrated)
    return `It was migrated: deploy the options that it was migrated to, or hopline topology migrate ${workQueue}`;
  if (!isRefused && kind === 'queue')
    return `The broker compares none of these, and leaves the queue as it is: say in its options what it is${workQueue === undefined ? '' : `, or hopline topology migrate ${workQueue}`}`;
  if (!isRefused) return 'Say in the options of the exchange what it is';
  if (kind === 'exchange')
    return "An exchange can't be changed: say in its options what it is, name another, or delete it and run hopline topology apply";
  return workQueue === undefined
    ? "A queue can't be changed: delete it once it is empty, and run hopline topology apply"
    : `A queue can't be changed: say in its options what it is, or hopline topology migrate ${workQueue}`;
}
