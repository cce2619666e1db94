import assert from 'node:assert/strict';
import type { BusDescription } from '../../../src/consume/handlers/bus-description.js';
import { describeBus } from '../../../src/consume/handlers/describe.js';
import { planSubscriptions } from '../../../src/consume/handlers/subscription.js';
import {
  leftOverQueues,
  namesThere,
  successorFor,
  waysInto,
} from '../../../src/oversight/management/left-over-queues.js';
import type { ManagedBinding, ManagedQueue } from '../../../src/oversight/management/managed.js';
import { Names } from '../../../src/topology/names.js';

interface Given {
  readonly service?: string;
  readonly prefix?: string;
  /** Patterns by their queue, which may have an exchange before it: `shop.events/mailer.welcome`. */
  readonly queues?: Readonly<Record<string, readonly string[]>>;
  readonly lanes?: readonly string[];
}

/** A bus with these queues, as a command is told of it. */
function bus({ service = 'mailer', prefix = 'hopline', queues = {}, lanes }: Given = {}): BusDescription {
  const names = new Names(prefix);
  const exchange = { name: names.events, declare: true };
  const definitions = Object.entries(queues).map(([place, patterns]) => {
    const [queue = '', of] = place.split('/').toReversed();
    return {
      name: queue,
      patterns,
      queue: { name: queue, ...(of ? { exchange: of } : {}), ...(lanes ? { lanes } : {}) },
      options: {},
      handle: () => {},
    };
  });
  const defaults = {
    service,
    exchange,
    concurrency: 1,
    retry: undefined,
    timeoutMs: 1,
    hasInbox: false,
    hasCheckpoints: true,
    hasSemaphores: true,
  };
  const identity = {
    service,
    prefix,
    delayPrefix: 'hopline',
    names,
    exchange,
    operatorControl: true,
    timeoutGraceMs: 1,
  };
  return describeBus(identity, planSubscriptions(definitions, defaults));
}

/** What the broker has of buses. */
function broker(...buses: BusDescription[]): { queues: ManagedQueue[]; bindings: ManagedBinding[] } {
  const plans = buses.map(({ plan }) => plan);
  return {
    queues: plans.flatMap((plan) =>
      plan.queues.map(({ name, arguments: args }) => ({
        name,
        type: 'quorum',
        exclusive: false,
        durable: true,
        autoDelete: false,
        arguments: { ...args },
        members: [],
        online: [],
        unsettled: 0,
        departing: 0,
      })),
    ),
    bindings: plans.flatMap((plan) => plan.bindings.map((binding) => ({ ...binding, propertiesKey: 'k' }))),
  };
}

function foundOf(applications: readonly BusDescription[], ...old: BusDescription[]) {
  const { queues, bindings } = broker(...old, ...applications);
  return leftOverQueues(applications, applications, queues, bindings);
}

const namesOf = (found: ReturnType<typeof foundOf>) =>
  found.map(({ name, kind, of }) => `${kind} ${name}${name === of ? '' : ` of ${of}`}`).toSorted();

describe('left-over queues', () => {
  it('are those by the name of the service that it does not declare, with what stands beside them', () => {
    const now = bus({ queues: { 'mailer.welcome': ['email.welcome'] } });
    const before = bus({
      queues: { 'mailer.ra': ['email.welcome'], mailer: ['email.#'], mailers: ['k'], 'x.mailer': ['k'] },
    });
    assert.deepEqual(namesOf(foundOf([now], before)), [
      'dead mailer.dead of mailer',
      'dead mailer.ra.dead of mailer.ra',
      'work mailer',
      'work mailer.ra',
    ]);
    assert.deepEqual(foundOf([now]), []);
  });

  it('are none that another bus of the application declares, or another application by its prefix', () => {
    const now = bus({ queues: { mailer: ['k'] } });
    const sibling = bus({ service: 'mailer.eu', queues: { 'mailer.eu': ['k'] } });
    const other = bus({ prefix: 'other', queues: { 'mailer.theirs': ['k'] } });
    assert.deepEqual(foundOf([now, sibling], other), []);
  });

  it('are none of whoever has queues of that name that are not of Hopline', () => {
    const now = bus();
    const queue = {
      name: 'mailer.legacy',
      type: 'classic',
      exclusive: false,
      durable: true,
      autoDelete: false,
      arguments: {},
      members: [],
      online: [],
      unsettled: 0,
      departing: 0,
    };
    assert.deepEqual(leftOverQueues([now], [now], [queue], []), []);
  });

  it('are none that belong to a process, however they are called', () => {
    const now = bus();
    const queue = {
      name: 'mailer.live.Forget.0b7a2e0e-6e0f-4c0c-9a34-3f6f7f2b1c11',
      type: 'classic',
      exclusive: true,
      durable: false,
      autoDelete: false,
      arguments: { 'x-dead-letter-exchange': 'hopline.dead' },
      members: [],
      online: [],
      unsettled: 0,
      departing: 0,
    };
    assert.deepEqual(leftOverQueues([now], [now], [queue], []), []);
    assert.deepEqual([...namesThere([queue])], ['mailer.live.Forget']);
  });

  it('are what stands for migrated queues, by the name of these, unless one is being migrated', () => {
    const now = bus({ queues: { 'mailer.welcome': ['k'] } });
    const before = bus({ queues: { 'mailer.ra': ['k'], 'mailer.welcome': ['k'] } });
    const { queues, bindings } = broker(before);
    const migrated = queues.map((queue) =>
      queue.name.endsWith('.dead') ? queue : { ...queue, name: `${queue.name}~2` },
    );
    const found = leftOverQueues([now], [now], migrated, bindings);
    assert.deepEqual(namesOf(found), ['dead mailer.ra.dead of mailer.ra', 'work mailer.ra~2 of mailer.ra']);
    assert.ok(namesThere(migrated).has('mailer.ra'));
    const moving = [...queues, ...migrated];
    assert.deepEqual(namesOf(leftOverQueues([now], [now], moving, bindings)), [
      'dead mailer.ra.dead of mailer.ra',
    ]);
  });

  it('are lanes that a queue has no more', () => {
    const now = bus({ queues: { 'mailer.welcome': ['k'] } });
    const before = bus({ queues: { 'mailer.welcome': ['k'] }, lanes: ['high', 'default'] });
    assert.deepEqual(namesOf(foundOf([now], before)), ['work mailer.welcome.high']);
  });
});

describe('what lies in a left-over queue', () => {
  const before = bus({ queues: { 'mailer.ra': ['email.welcome', 'email.bye'] } });

  const waysOf = (now: BusDescription, old = before, name = 'mailer.ra') => {
    const queue = foundOf([now], old).find((each) => each.name === name);
    assert.ok(queue);
    return waysInto(queue, [now]);
  };
  const successors = (now: BusDescription) =>
    waysOf(now).map(({ pattern, successor }) => [pattern, successor]);

  it('goes to the queue that has just its pattern now, pattern by pattern', () => {
    const now = bus({ queues: { 'mailer.welcome': ['email.welcome'], 'mailer.bye': ['email.bye'] } });
    assert.deepEqual(successors(now), [
      ['email.welcome', 'mailer.welcome'],
      ['email.bye', 'mailer.bye'],
    ]);
    assert.equal(successorFor(waysOf(now), 'hopline.events', 'email.bye'), 'mailer.bye');
    assert.equal(successorFor(waysOf(now), 'hopline.events', 'other.key'), undefined);
    assert.equal(successorFor(waysOf(now), 'shop.events', 'email.bye'), undefined);
  });

  it('stays where a wider pattern takes it, where several queues have it, or another exchange', () => {
    for (const queues of [
      { 'mailer.audit': ['email.#'] },
      { 'mailer.one': ['email.welcome', 'email.bye'], 'mailer.two': ['email.welcome', 'email.bye'] },
      { 'shop.events/mailer.theirs': ['email.welcome', 'email.bye'] },
    ])
      assert.deepEqual(successors(bus({ queues })), [
        ['email.welcome', undefined],
        ['email.bye', undefined],
      ]);
  });

  it('stays if it came on several ways that lead to different queues', () => {
    const now = bus({ queues: { 'mailer.wide': ['email.*'], 'mailer.narrow': ['email.welcome'] } });
    const old = bus({ queues: { 'mailer.ra': ['email.*', 'email.welcome'] } });
    const ways = waysOf(now, old);
    assert.equal(successorFor(ways, 'hopline.events', 'email.bye'), 'mailer.wide');
    assert.equal(successorFor(ways, 'hopline.events', 'email.welcome'), undefined);
  });

  it('goes to the same lane, or to the queue without one if it has that no more', () => {
    const old = bus({ queues: { 'mailer.ra': ['k'] }, lanes: ['high', 'default'] });
    const high = 'hopline.events.lane.high';
    const laned = bus({ queues: { 'mailer.welcome': ['k'] }, lanes: ['high', 'default'] });
    const plain = bus({ queues: { 'mailer.welcome': ['k'] } });
    assert.equal(successorFor(waysOf(laned, old, 'mailer.ra.high'), high, 'k'), 'mailer.welcome.high');
    assert.equal(successorFor(waysOf(plain, old, 'mailer.ra.high'), high, 'k'), 'mailer.welcome');
  });
});
