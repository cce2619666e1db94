import assert from 'node:assert/strict';
import { topologyChanges } from '../../../src/cli/topology/plan/changes.js';
import { changesText, summaryText } from '../../../src/cli/topology/plan/changes-text.js';
import type { FoundTopology } from '../../../src/cli/topology/plan/found.js';
import type { WantedTopology } from '../../../src/cli/topology/plan/wanted.js';
import type {
  ManagedBinding,
  ManagedExchange,
  ManagedQueue,
} from '../../../src/oversight/management/managed.js';
import type { BindingPlan, ExchangePlan, QueuePlan } from '../../../src/topology/plan.js';

const events: ExchangePlan = { name: 'shop.events', type: 'topic' };
const orders: QueuePlan = {
  name: 'shop.orders',
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 },
};
const placed: BindingPlan = {
  source: 'shop.events',
  destination: 'shop.orders',
  destinationType: 'queue',
  pattern: 'order.placed',
};

const wanted = (own: Partial<WantedTopology['own']>): WantedTopology => ({
  own: { exchanges: [], queues: [], bindings: [], ...own },
  delays: [],
  workQueues: new Map([['shop.orders', 'shop.orders']]),
  leading: new Set(['hopline.dead']),
});

const exchange = (plan: ExchangePlan, other: Partial<ManagedExchange> = {}): ManagedExchange => ({
  name: plan.name,
  type: plan.type,
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: {},
  ...other,
});

const queue = (plan: QueuePlan, other: Partial<ManagedQueue> = {}): ManagedQueue => ({
  name: plan.name,
  type: plan.arguments['x-queue-type'] ?? 'classic',
  exclusive: false,
  durable: true,
  autoDelete: false,
  arguments: plan.arguments,
  members: [],
  online: [],
  unsettled: 0,
  departing: 0,
  ...other,
});

interface There {
  readonly exchanges?: readonly ManagedExchange[];
  readonly queues?: readonly ManagedQueue[];
  readonly bindings?: readonly BindingPlan[];
}

const broker = { product: 'RabbitMQ', version: '3.10.8' };

const found = ({ exchanges = [], queues = [], bindings = [] }: There): FoundTopology => ({
  broker,
  exchanges: new Map(exchanges.map((each) => [each.name, each])),
  queues: new Map(queues.map((each) => [each.name, each])),
  bindings: bindings.map((each): ManagedBinding => ({ ...each, propertiesKey: 'k' })),
});

const said = (own: Partial<WantedTopology['own']>, there: FoundTopology) => {
  const changes = topologyChanges(wanted(own), there);
  return [...changesText(changes), summaryText(changes)];
};

describe('what a start would change in the broker', () => {
  const all = { exchanges: [events], queues: [orders], bindings: [placed] };
  const allThere = { exchanges: [exchange(events)], queues: [queue(orders)], bindings: [placed] };

  it('is everything where nothing is there', () => {
    assert.deepEqual(said(all, found({})), [
      "+ exchange 'shop.events', topic",
      "+ queue 'shop.orders', quorum, x-delivery-limit = 20",
      "+ binding 'order.placed' of exchange 'shop.events' → queue 'shop.orders'",
      '3 to make, 0 unchanged',
    ]);
  });

  it('sums up the bindings by which Hopline itself leads messages to queues, if they are many', () => {
    const binding = (pattern: string) => ({ ...placed, source: 'hopline.dead', pattern });
    const few = said({ bindings: ['a', 'b', 'c'].map(binding) }, found({}));
    assert.equal(few[0], "+ binding 'a' of exchange 'hopline.dead' → queue 'shop.orders'");
    assert.equal(few.length, 4);
    assert.deepEqual(said({ bindings: [placed, ...['a', 'b', 'c', 'd'].map(binding)] }, found({})), [
      "+ binding 'order.placed' of exchange 'shop.events' → queue 'shop.orders'",
      '+ 4 bindings by which retries, delayed messages and dead letters reach their queues',
      '5 to make, 0 unchanged',
    ]);
  });

  it('is nothing where all is there, which is counted', () => {
    assert.deepEqual(said(all, found(allThere)), ['nothing to make, 3 unchanged']);
  });

  it('is a binding of other arguments beside the one that is there', () => {
    const headers = { ...placed, pattern: '', arguments: { 'x-match': 'all', tenant: 'acme' } };
    const there = found({ ...allThere, bindings: [{ ...headers, arguments: { 'x-match': 'any' } }] });
    assert.deepEqual(said({ ...all, bindings: [headers] }, there), [
      `+ binding '', x-match = "all", tenant = "acme" of exchange 'shop.events' → queue 'shop.orders'`,
      `- binding '', x-match = "any" of exchange 'shop.events' → queue 'shop.orders': no handler wants it, hopline topology prune removes it`,
      '1 to make, 1 for prune, 2 unchanged',
    ]);
  });

  it('never is what is there otherwise: both values are shown, and what helps', () => {
    const there = found({
      exchanges: [exchange(events, { type: 'fanout' })],
      queues: [queue(orders, { type: 'classic', durable: false, arguments: { 'x-max-length': 5 } })],
      bindings: [placed],
    });
    assert.deepEqual(said(all, there), [
      "! exchange 'shop.events' is there, but otherwise: a start is refused",
      '    type is "fanout", wanted "topic"',
      "    An exchange can't be changed: say in its options what it is, name another, or delete it and run hopline topology apply",
      "! queue 'shop.orders' is there, but otherwise: a start is refused",
      '    type is "classic", wanted "quorum"',
      '    durable is false, wanted true',
      '    x-delivery-limit is not set, wanted 20',
      '    x-max-length is 5, wanted not set',
      "    A queue can't be changed: say in its options what it is, or hopline topology migrate shop.orders",
      '2 there but otherwise, 1 unchanged',
    ]);
  });

  it('is not refused for arguments of an exchange that the broker does not compare', () => {
    const plan: ExchangePlan = { ...events, arguments: { 'hash-header': 'tenant' } };
    const { differences } = topologyChanges(
      wanted({ exchanges: [plan] }),
      found({ exchanges: [exchange(plan)] }),
    );
    assert.deepEqual(
      differences.map(({ isRefused }) => isRefused),
      [false],
    );
    const alternate: ExchangePlan = { ...events, alternateExchange: 'shop.lost' };
    const others = topologyChanges(
      wanted({ exchanges: [alternate] }),
      found({ exchanges: [exchange(alternate)] }),
    );
    assert.deepEqual(
      others.differences.map(({ isRefused }) => isRefused),
      [true],
    );
  });

  it('is not refused for arguments of a queue that this version of the broker does not compare', () => {
    const its = { ...orders.arguments, 'x-consumer-timeout': 60_000, 'x-of-mine': 'a' };
    const there = found({ queues: [queue(orders, { arguments: its })] });
    assert.deepEqual(said({ queues: [orders] }, there), [
      "! queue 'shop.orders' is there, but otherwise: a start goes on with what is there",
      '    x-consumer-timeout is 60000, wanted not set',
      '    x-of-mine is "a", wanted not set',
      '    The broker compares none of these, and leaves the queue as it is: say in its options what it is, or hopline topology migrate shop.orders',
      '1 there but otherwise, 0 unchanged',
    ]);
    const newer = { ...there, broker: { ...broker, version: '4.3.6' } };
    assert.match(said({ queues: [orders] }, newer)[0] ?? '', /a start is refused/);
  });

  it('leaves what belongs to others: it is missed, never made, and neither its arguments nor its bindings are compared', () => {
    const erp: ExchangePlan = { name: 'erp', type: 'headers', verifyOnly: true };
    const ledger: QueuePlan = { ...orders, name: 'ledger', verifyOnly: true };
    const own = { exchanges: [erp], queues: [ledger] };
    assert.deepEqual(said(own, found({})), [
      "? exchange 'erp', headers: not there, and not ours to make (declare: false)",
      "? queue 'ledger': not there, and not ours to make (declare: false)",
      '2 of others not there, 0 unchanged',
    ]);
    const there = {
      exchanges: [exchange(erp, { durable: false, arguments: { 'alternate-exchange': 'x' } })],
      queues: [queue(ledger, { type: 'classic', arguments: { 'x-max-length': 5 } })],
      bindings: [{ ...placed, source: 'erp', destination: 'ledger' }],
    };
    assert.deepEqual(said(own, found(there)), ['nothing to make, 2 unchanged']);
  });

  it('says if what belongs to others is of another type than the application takes it for', () => {
    const erp: ExchangePlan = { name: 'erp', type: 'headers', verifyOnly: true };
    assert.deepEqual(
      said({ exchanges: [erp] }, found({ exchanges: [exchange(erp, { type: 'topic' })] })).slice(0, 2),
      [
        "! exchange 'erp' is there, but otherwise: a start goes on with what is there",
        '    type is "topic", wanted "headers"',
      ],
    );
  });

  it('is unknown of bindings that nobody can see, but for those of what is to be made', () => {
    const there: FoundTopology = {
      broker,
      exchanges: new Map([['shop.events', undefined]]),
      queues: new Map([['shop.orders', undefined]]),
      bindings: undefined,
      whyNoMore: 'it does not answer',
    };
    assert.deepEqual(said(all, there), ['nothing to make, 2 unchanged, 1 binding not seen']);
    assert.deepEqual(said(all, { ...there, queues: new Map() }).at(-1), '2 to make, 1 unchanged');
  });
});
