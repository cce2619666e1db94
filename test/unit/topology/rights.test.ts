import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { noticeQueues } from '../../../src/features/job/end-watch.js';
import { planBus } from '../../../src/topology/build.js';
import type { QueueNeeds } from '../../../src/topology/bus-topology.js';
import {
  delayAddress,
  delayEntries,
  duePatterns,
  planDelays,
  retryPattern,
} from '../../../src/topology/delays.js';
import { Generations } from '../../../src/topology/generations.js';
import { Names } from '../../../src/topology/names.js';
import type { TopologyPlan } from '../../../src/topology/plan.js';
import {
  type Permissions,
  permissionsOf,
  type ServicePlan,
  topicPermissionsOf,
} from '../../../src/topology/rights.js';

const names = new Names();
const events = { name: 'hopline.events', declare: true };

const needs = (given: Partial<QueueNeeds> = {}): QueueNeeds => ({
  name: 'mailer',
  kind: 'work',
  lanes: ['default'],
  type: 'quorum',
  deliveryLimit: 20,
  maxPriority: undefined,
  bindings: [{ exchange: events, pattern: 'email.*' }],
  ...given,
});

const service = (...queues: QueueNeeds[]): ServicePlan => ({
  names,
  plan: planBus(names, { exchanges: [events], queues: queues, delays: true }).own,
  operatorControl: false,
  publishesTo: [events.name],
});

/** As the broker looks for it. */
const matches = (pattern: string, text: string) => new RegExp(pattern).test(text);

/** What RabbitMQ asks for when a plan is declared, as `right on resource`. */
function askedFor({
  exchanges,
  queues,
  bindings,
}: TopologyPlan): [right: keyof Permissions, resource: string][] {
  return [
    ...exchanges
      .filter(({ verifyOnly }) => !verifyOnly)
      .flatMap(({ name, alternateExchange }): [keyof Permissions, string][] => [
        ['configure', name],
        ...((alternateExchange
          ? ([
              ['read', name],
              ['write', alternateExchange],
            ] as const)
          : []) as [keyof Permissions, string][]),
      ]),
    ...queues.flatMap(
      ({ name, arguments: { 'x-dead-letter-exchange': dead } }): [keyof Permissions, string][] => [
        ['configure', name],
        ...((dead
          ? [
              ['read', name],
              ['write', dead],
            ]
          : []) as [keyof Permissions, string][]),
      ],
    ),
    ...bindings.flatMap(({ source, destination }): [keyof Permissions, string][] => [
      ['read', source],
      ['write', destination],
    ]),
  ];
}

describe('the rights of a responder', () => {
  const requests = needs({ kind: 'requests', name: 'mailer.requests', type: 'classic' });

  it('go on to be right when a queue was migrated', () => {
    for (const occasion of ['declare', 'first'] as const) {
      const { configure, write, read } = permissionsOf([service(needs())], occasion);
      for (const pattern of [configure, write, read]) {
        assert.ok(matches(pattern, 'mailer') && matches(pattern, 'mailer~2'), pattern);
        assert.ok(!matches(pattern, 'mailer~2.dead') && !matches(pattern, 'mailer~'), pattern);
      }
    }
    const { configure, read } = permissionsOf([service(needs())], 'verify');
    assert.deepEqual([matches(configure, 'mailer~2'), matches(read, 'mailer~2')], [false, true]);
  });

  it('are those to make the queue of its requests and to reply, whatever else it may declare', () => {
    const { configure, write, read } = permissionsOf([service(requests)], 'verify');
    for (const right of [configure, write, read]) assert.ok(matches(right, 'mailer.requests'), right);
    assert.ok(matches(write, 'amq.default'));
    assert.ok(matches(read, events.name));
    assert.ok(!matches(write, names.dead));
    assert.ok(!matches(configure, 'mailer'));
  });

  it('are none that a handler of messages has beside it', () => {
    const { configure, write } = permissionsOf([service(needs())], 'verify');
    assert.equal(configure, '^$');
    assert.ok(!matches(write, 'amq.default'));
  });

  it('lead into no delays', () => {
    const rights = topicPermissionsOf([service(requests)]).find(
      ({ exchange }) => exchange === names.delayOut,
    );
    assert.ok(rights && !matches(rights.read, retryPattern('mailer.requests')));
  });
});

describe('the rights of a service', () => {
  it('with jobs that take long lead its guards through the delays, and nobody else', () => {
    const plan = planBus(names, { exchanges: [events], queues: [needs()], guards: 'mailer.guards' }).own;
    const rights = topicPermissionsOf([{ ...service(needs()), plan }]);
    const out = rights.find(({ exchange }) => exchange === names.delayOut);
    assert.ok(out && matches(out.read, retryPattern('mailer.guards')));
    const [into] = rights;
    const { routingKey } = delayAddress(names, 1_000, 'q', 'mailer.guards');
    assert.ok(into && matches(into.write, routingKey));
  });

  it('that only checks are to publish, to settle, and to consume its queues', () => {
    assert.deepEqual(permissionsOf([service(needs())], 'verify'), {
      configure: '^$',
      write: '^(hopline\\.events(\\.lane\\.[\\w-]+)?|hopline\\.delay\\.1\\.in\\.\\w|hopline\\.dead)$',
      read: '^(mailer\\.dead|mailer(~\\d+)?|hopline\\.delay\\.1\\.ready)$',
    });
  });

  it('that declares its queues are to make and bind them, and no exchange', () => {
    assert.deepEqual(permissionsOf([service(needs())], 'declare'), {
      configure: '^(mailer\\.dead|mailer(~\\d+)?)$',
      write:
        '^(hopline\\.events(\\.lane\\.[\\w-]+)?|hopline\\.delay\\.1\\.in\\.\\w|hopline\\.dead|mailer\\.dead|mailer(~\\d+)?)$',
      read: '^(mailer\\.dead|mailer(~\\d+)?|hopline\\.delay\\.1\\.ready|hopline\\.dead|hopline\\.delay\\.1\\.out|hopline\\.events)$',
    });
  });

  it('that hears operators are a queue of its own, what is said, and a way to answer; no word to others, and no pause', () => {
    const own = `hopline.control.${randomUUID()}`;
    const ends = `${noticeQueues(names)}${randomUUID()}`;
    for (const occasion of ['verify', 'declare', 'first'] as const) {
      const { configure, write, read } = permissionsOf(
        [{ ...service(needs()), operatorControl: true }],
        occasion,
      );
      for (const right of [configure, read]) assert.ok(matches(right, ends), right);
      for (const name of [own, 'hopline.control.to'])
        assert.ok(matches(write, name), `${occasion}: write on ${name}`);
      for (const name of [own, 'hopline.control', 'hopline.paused'])
        assert.ok(matches(read, name), `${occasion}: read on ${name}`);
      assert.ok(matches(configure, own));
      for (const name of [
        'hopline.control',
        'hopline.paused',
        'amq.default',
        `hopline.control.${'x'.repeat(36)}`,
      ])
        assert.ok(!matches(write, name), `${occasion}: write on ${name}`);
      assert.ok(!matches(read, 'hopline.control.to'));
      assert.equal(matches(configure, 'hopline.paused'), occasion === 'first');
    }
  });

  it('that has a copy for each process are those of a queue of that process, on each occasion', () => {
    const plan = service(needs({ name: 'shop.Reload', kind: 'process', type: 'classic' }));
    const own = `shop.Reload.${randomUUID()}`;
    for (const occasion of ['verify', 'declare', 'first'] as const) {
      const { configure, write, read } = permissionsOf([plan], occasion);
      for (const right of [configure, write, read]) assert.ok(matches(right, own), `${occasion}: ${right}`);
      for (const source of ['hopline.events', 'hopline.land', 'hopline.delay.1.out'])
        assert.ok(matches(read, source), `${occasion}: read on ${source}`);
      assert.ok(matches(write, 'hopline.dead'));
      assert.ok(!matches(configure, 'shop.Reload.other') && !matches(write, 'shop.Reload'));
      assert.equal(matches(configure, 'shop.Reload.dead'), occasion !== 'verify');
    }
    const out = topicPermissionsOf([plan]).find(({ exchange }) => exchange === names.delayOut);
    for (const due of duePatterns('hopline.events', 'email.*')) assert.ok(matches(out?.read ?? '', due), due);
    assert.ok(!matches(out?.read ?? '', retryPattern('shop.Reload')));
  });

  it('go on to be enough when a queue is migrated, and are for no other queue', () => {
    const theirs = needs({ name: 'theirs', bindings: [], declare: false });
    const plan = service(
      needs({ lanes: ['high', 'default'] }),
      needs({ name: 'old', type: 'classic' }),
      theirs,
    );
    const generations = new Generations(names);
    const migrated = (name: string, type: 'classic' | 'quorum') => ({ name, type, isMoving: false });
    generations.replace(
      new Map([
        ['mailer', migrated('mailer~2', 'quorum')],
        ['mailer.high', migrated('mailer.high~12', 'quorum')],
        ['old', migrated('old~2', 'classic')],
      ]),
    );
    const applied = generations.applied(plan.plan);
    const declare = permissionsOf([plan], 'declare');
    for (const [right, resource] of askedFor({
      ...applied,
      exchanges: [],
      queues: applied.queues.filter(({ verifyOnly }) => !verifyOnly),
    }))
      assert.ok(matches(declare[right], resource), `${right} on ${resource}`);
    for (const occasion of ['verify', 'declare', 'first'] as const) {
      const { configure, write, read } = permissionsOf([plan], occasion);
      for (const name of ['mailer~2', 'mailer.high~12', 'old~2']) assert.ok(matches(read, name), name);
      for (const name of ['mailer~', 'mailer~2x', 'mailer.dead~2', 'old.land~2', 'theirs~2', 'mail~2'])
        for (const right of [configure, write, read]) assert.ok(!matches(right, name), `${right}: ${name}`);
    }
  });

  it('that only publishes are to do that', () => {
    for (const occasion of ['verify', 'declare'] as const) {
      assert.deepEqual(permissionsOf([service()], occasion), {
        configure: '^$',
        write: '^(hopline\\.events(\\.lane\\.[\\w-]+)?|hopline\\.delay\\.1\\.in\\.\\w)$',
        read: '^(hopline\\.delay\\.1\\.ready)$',
      });
    }
    assert.deepEqual(
      topicPermissionsOf([service()]).map(({ write }) => write),
      [
        ...delayEntries(names).map(
          () => '^(\\d+\\.){6}([ec]\\.(hopline/events(/lane/[\\w-]+)?|hopline/probe)\\.)',
        ),
        '^$',
      ],
    );
  });

  it('that declares everything are all that the broker asks for, and leave out what is someone else’s', () => {
    const foreign = { name: 'erp.orders', declare: false };
    const bindings = [{ exchange: foreign, pattern: '#' }];
    const plan = service(
      needs({ lanes: ['high', 'default'] }),
      needs({ name: 'old', type: 'classic', bindings }),
    );
    const rights = permissionsOf([plan], 'first');
    for (const [right, resource] of [...askedFor(plan.plan), ...askedFor(planDelays(names))])
      assert.ok(matches(rights[right], resource), `${right} on ${resource}`);
    assert.ok(matches(rights.configure, 'hopline.delay.1.ready'));
    assert.ok(matches(rights.read, foreign.name));
    assert.ok(!matches(rights.configure, foreign.name));
    assert.ok(!matches(rights.write, foreign.name));
  });

  it('hold some right on everything that is checked passively, as RabbitMQ 4.3.1 and later ask', () => {
    const foreign = { name: 'erp.orders', declare: false };
    const bindings = [{ exchange: foreign, pattern: '#' }];
    const plan = service(
      needs({ lanes: ['high', 'default'] }),
      needs({ name: 'old', type: 'classic', bindings }),
    );
    const checked = [...plan.plan.exchanges, ...plan.plan.queues].map(({ name }) => name);
    for (const occasion of ['verify', 'declare'] as const) {
      const rights = Object.values(permissionsOf([plan], occasion));
      for (const name of [...checked, names.delayReady])
        assert.ok(
          rights.some((pattern) => matches(pattern, name)),
          `${occasion} ${name}`,
        );
    }
  });

  it('are for whole names only, whatever these hold', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 5 }), (name, more) => {
        const { configure, read } = permissionsOf([service(needs({ name }))], 'declare');
        assert.ok(matches(configure, name));
        assert.ok(matches(read, name));
        if (more !== '' && !`${name}${more}`.endsWith('.dead') && !/^~\d+$/.test(more))
          assert.ok(!matches(configure, `${name}${more}`));
        if (more !== '') assert.ok(!matches(configure, `${more}.${name}`));
      }),
    );
  });

  it('of services that log in as one user are those of all', () => {
    const both = [service(needs({ name: 'a' })), service(needs({ name: 'b' }))];
    const { read } = permissionsOf(both, 'verify');
    assert.equal(read, '^(a\\.dead|a(~\\d+)?|hopline\\.delay\\.1\\.ready|b\\.dead|b(~\\d+)?)$');
    const [first] = topicPermissionsOf(both);
    assert.match(first?.write ?? '', /q\\\.\(a\|b\)\$/);
  });

  describe('to the delays', () => {
    const plan = service(needs({ lanes: ['high', 'default'] }), needs({ name: 'a.b' }));
    const permissions = new Map(topicPermissionsOf([plan]).map((each) => [each.exchange, each]));
    const mayWrite = (exchange: string, key: string) => matches(permissions.get(exchange)?.write ?? '^', key);

    it('let it in wherever a delay of its own begins', () => {
      const delays = fc.integer({ min: 100, max: 399 * 86_400_000 });
      fc.assert(
        fc.property(delays, fc.constantFrom('mailer', 'mailer.high', 'a.b'), (delayMs, queue) => {
          const { exchange, routingKey } = delayAddress(names, delayMs, 'q', queue);
          return mayWrite(exchange, routingKey);
        }),
      );
      for (const destination of ['hopline/events.email.welcome', 'hopline/events/lane/low.email.welcome']) {
        const { exchange, routingKey } = delayAddress(names, 500, 'e', destination);
        assert.ok(mayWrite(exchange, routingKey));
      }
    });

    it('keep it from every other queue and exchange', () => {
      const elsewhere = [
        'q.other',
        'q.mailer2',
        'q.mailer.high.x',
        'q.x.mailer',
        'q.aXb',
        'q.',
        'x.mailer',
        'mailer',
      ];
      const exchanges = ['e.other/events.k', 'c.hopline/events2.k', 'e.hopline/events', 'e.hoplineXevents.k'];
      for (const destination of [...elsewhere, ...exchanges, 'e.hopline/events/other.k']) {
        for (const entry of delayEntries(names))
          assert.ok(!mayWrite(entry, `0.0.0.0.1.0.${destination}`), destination);
      }
      for (const key of ['0.0.0.0.1.q.mailer', '0.0.0.0.1.0.0.q.mailer', 'x.0.0.0.0.1.0.q.mailer', ''])
        assert.ok(!mayWrite('hopline.delay.1.in.s', key), key);
      assert.ok(!mayWrite(names.delayOut, '0.0.0.0.0.0.q.other'));
    });

    it('let it bind what it declares to their end, and nothing of others', () => {
      const mayBind = (pattern: string) => matches(permissions.get(names.delayOut)?.read ?? '^', pattern);
      const own = plan.plan.bindings.filter(({ source }) => source === names.delayOut);
      assert.ok(own.length > 0);
      for (const { pattern } of own) assert.ok(mayBind(pattern), pattern);
      const others = [
        retryPattern('other'),
        ...duePatterns('other.events', '#'),
        '#',
        '*.*.*.*.*.*.#',
        '#.q.mailer',
      ];
      for (const pattern of others) assert.ok(!mayBind(pattern), pattern);
    });
  });
});
