import { leftOverBindings } from '../../../oversight/doctor/management-checks.js';
import { bindingIdentity } from '../../../oversight/management/binding-identity.js';
import { different, type ValueDifference } from '../../../oversight/management/different.js';
import type { ManagedBinding, ManagedExchange, ManagedQueue } from '../../../oversight/management/managed.js';
import type { BindingPlan, ExchangePlan, QueuePlan, TopologyPlan } from '../../../topology/plan.js';
import { isCompared } from '../../../topology/queue-arguments.js';
import type { FoundTopology } from './found.js';
import type { WantedTopology } from './wanted.js';

/** What a start would change in a broker, and what it can't. */
export interface TopologyChanges {
  readonly additions: readonly Addition[];
  readonly differences: readonly Difference[];
  /** What belongs to someone else, and isn't there. */
  readonly missing: readonly Thing[];
  /** Bindings of the application's queues that none of its handlers wants. */
  readonly unwanted: readonly ManagedBinding[];
  /** Queues that are being migrated, by the options' names: neither they nor their bindings are looked at. */
  readonly moving: readonly string[];
  /** Number of exchanges, queues and bindings that are there as they are wanted. */
  readonly unchanged: number;
  /** Number of bindings of which nobody could tell whether they are there. */
  readonly unseen: number;
  /** Why no more than names was seen; undefined if all was. */
  readonly whyNoMore: string | undefined;
}

/** An exchange, a queue or a binding, as it is wanted. */
export type Thing =
  | {
      readonly kind: 'exchange' | 'queue';
      readonly name: string;
      readonly type: string;
      readonly arguments: Table;
    }
  | ({ readonly kind: 'binding' } & BindingPlan);

type Table = Readonly<Record<string, unknown>>;

/** Something that isn't there. */
export interface Addition {
  readonly thing: Thing;
  /** What the names of the delays that it is a part of begin with. */
  readonly delays?: string;
  /** True for a binding by which retries, delayed messages or dead letters come to its queue. */
  readonly isReturn?: boolean;
}

/** Something that is there, but otherwise. */
export interface Difference {
  readonly kind: 'exchange' | 'queue';
  readonly name: string;
  readonly differences: readonly ValueDifference[];
  /** True if the broker refuses to declare it; false if it goes on with what is there. */
  readonly isRefused: boolean;
  /** The application's queue that it is, or is a lane of, if it is one. */
  readonly workQueue?: string | undefined;
  /** True if it stands for a queue that was migrated. @default false */
  readonly isMigrated?: boolean;
}

/** Compares what is wanted with what is there. Changes nothing. */
export function topologyChanges(wanted: WantedTopology, found: FoundTopology): TopologyChanges {
  const comparison = new Comparison(wanted, found);
  for (const { prefix, plan } of wanted.delays) comparison.add(plan, prefix);
  for (const { prefix, plan } of wanted.delays) comparison.addExchange(plan.marker, prefix);
  comparison.add(wanted.own);
  return comparison.result();
}

class Comparison {
  private readonly additions: Addition[] = [];
  private readonly differences: Difference[] = [];
  private readonly missing: Thing[] = [];
  private readonly moving: string[] = [];
  private readonly bound: ReadonlySet<string>;
  private readonly seen = new Set<string>();
  private unchanged = 0;
  private unseen = 0;

  constructor(
    private readonly wanted: WantedTopology,
    private readonly found: FoundTopology,
  ) {
    this.bound = new Set((found.bindings ?? []).map(bindingIdentity));
  }

  add({ exchanges, queues, bindings }: TopologyPlan, delays?: string): void {
    for (const exchange of exchanges) this.addExchange(exchange, delays);
    for (const queue of queues) this.addQueue(queue, delays);
    for (const binding of bindings) this.addBinding(binding, delays);
  }

  addExchange(plan: ExchangePlan, delays?: string): void {
    const thing = exchangeThing(plan);
    const there = this.found.exchanges.get(plan.name);
    if (!this.found.exchanges.has(plan.name)) {
      this.addMissing(thing, plan.verifyOnly, delays);
      return;
    }
    const differences = there ? exchangeDifferences(thing, there, plan.verifyOnly) : [];
    this.addDifferences(thing, differences, ({ what }) => !plan.verifyOnly && COMPARED.has(what));
  }

  private addQueue(plan: QueuePlan, delays?: string): void {
    const { name, migrated, verifyOnly } = plan;
    if (migrated && verifyOnly) {
      this.moving.push(migrated.name);
      return;
    }
    const thing = queueThing({ ...plan, ...migrated, name });
    const there = this.found.queues.get(name);
    if (!this.found.queues.has(name)) {
      this.addMissing(queueThing(plan), verifyOnly, delays);
      return;
    }
    const differences = there && !verifyOnly ? queueDifferences(thing, there) : [];
    const { broker } = this.found;
    this.addDifferences(
      thing,
      differences,
      // A migrated queue is used as it is.
      ({ what }) => !migrated && (OF_EACH_QUEUE.has(what) || isCompared(what, broker)),
      migrated !== undefined,
    );
  }

  private addBinding(plan: BindingPlan, delays?: string): void {
    const identity = bindingIdentity(plan);
    if (this.seen.has(identity)) return;
    this.seen.add(identity);
    const { exchanges, queues, bindings } = this.found;
    const destinations = plan.destinationType === 'queue' ? queues : exchanges;
    const hasEnds = exchanges.has(plan.source) && destinations.has(plan.destination);
    if (hasEnds && !bindings) this.unseen += 1;
    else if (hasEnds && this.bound.has(identity)) this.unchanged += 1;
    else this.addMissing({ kind: 'binding', ...plan }, false, delays);
  }

  private addMissing(thing: Thing, isOfOthers: boolean | undefined, delays: string | undefined): void {
    if (isOfOthers) this.missing.push(thing);
    else
      this.additions.push({
        thing,
        ...(delays === undefined ? {} : { delays }),
        ...(thing.kind === 'binding' && this.wanted.leading.has(thing.source) ? { isReturn: true } : {}),
      });
  }

  private addDifferences(
    { kind, name }: NamedThing,
    differences: readonly ValueDifference[],
    refuses: (difference: ValueDifference) => boolean,
    isMigrated = false,
  ): void {
    if (differences.length === 0) {
      this.unchanged += 1;
      return;
    }
    const workQueue = this.wanted.workQueues.get(name);
    this.differences.push({
      kind,
      name,
      differences,
      isRefused: differences.some(refuses),
      ...(kind === 'queue' && workQueue !== undefined ? { workQueue } : {}),
      ...(isMigrated ? { isMigrated } : {}),
    });
  }

  result(): TopologyChanges {
    const { additions, differences, missing, moving, unchanged, unseen, found } = this;
    const unwanted = leftOverBindings({ plan: this.wanted.own }, found.bindings ?? []);
    const { whyNoMore } = found;
    return { additions, differences, missing, unwanted, moving, unchanged, unseen, whyNoMore };
  }
}

/** What the broker compares of each queue, beside arguments (tried on 3.10.8, 4.0.5 and 4.3.6). */
const OF_EACH_QUEUE: ReadonlySet<string> = new Set(['type', 'durable', 'autoDelete']);

/** What the broker compares when an exchange is declared: of its arguments one (tried on 3.10.8, 4.0.5 and 4.3.6). */
const COMPARED: ReadonlySet<string> = new Set([
  'type',
  'durable',
  'autoDelete',
  'internal',
  'alternate-exchange',
]);

type NamedThing = Exclude<Thing, { kind: 'binding' }>;

const exchangeThing = ({ name, type, arguments: its, alternateExchange }: ExchangePlan): NamedThing => ({
  kind: 'exchange',
  name,
  type,
  arguments: {
    ...its,
    ...(alternateExchange === undefined ? {} : { 'alternate-exchange': alternateExchange }),
  },
});

function queueThing({ name, arguments: its, verifyOnly }: QueuePlan): NamedThing {
  if (verifyOnly) return { kind: 'queue', name, type: 'unknown', arguments: {} };
  const { 'x-queue-type': type = 'unknown', ...rest } = its;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { kind: 'queue', name, type, arguments: Object.fromEntries(given) };
}

function exchangeDifferences(
  { type, arguments: wanted }: NamedThing,
  there: ManagedExchange,
  isOfOthers = false,
): ValueDifference[] {
  const found = {
    type: there.type,
    durable: there.durable,
    autoDelete: there.autoDelete,
    internal: there.internal,
  };
  if (isOfOthers) return [...different({ type: there.type }, { type }), ...asWanted(there.arguments, wanted)];
  return [
    ...different(found, { type, durable: true, autoDelete: false, internal: false }),
    ...different(there.arguments, wanted),
  ];
}

/** Of an exchange of someone else, what the application says of it is compared, and no more. */
const asWanted = (found: Table, wanted: Table): ValueDifference[] =>
  different(found, wanted).filter(({ what }) => what in wanted);

function queueDifferences({ type, arguments: wanted }: NamedThing, there: ManagedQueue): ValueDifference[] {
  // A queue that was declared without a type has the vhost's default one: the broker takes it for declared with it.
  const { 'x-queue-type': _type, ...its } = there.arguments;
  const found = { type: there.type, durable: there.durable, autoDelete: there.autoDelete };
  return [...different(found, { type, durable: true, autoDelete: false }), ...different(its, wanted)];
}
