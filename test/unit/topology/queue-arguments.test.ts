import assert from 'node:assert/strict';
import { planBus } from '../../../src/topology/build.js';
import type { QueueNeeds } from '../../../src/topology/bus-topology.js';
import { cureOfOtherArguments } from '../../../src/topology/fixed-arguments.js';
import { Generations } from '../../../src/topology/generations.js';
import { Names } from '../../../src/topology/names.js';
import type { TopologyPlan } from '../../../src/topology/plan.js';
import { argumentProblems } from '../../../src/topology/queue-arguments.js';
import { ignoredArguments } from '../../../src/transport/amqp/connection/broker-features.js';

const ignoredBy = (version: string, type: 'classic' | 'quorum', argument: string) =>
  ignoredArguments([{ name: 'q', arguments: { 'x-queue-type': type, [argument]: 1 } }], {
    product: 'RabbitMQ',
    version,
  }).map((each) => each.argument);

const needs = (given: Partial<QueueNeeds>): QueueNeeds => ({
  ...{ name: 'full', kind: 'work', lanes: ['default'], type: 'quorum', deliveryLimit: 200 },
  ...{ maxPriority: undefined, bindings: [], ...given },
});

describe('arguments of queues', () => {
  it('are taken with values of their type, on the types of queue that have them', () => {
    assert.deepEqual(argumentProblems('quorum', { 'x-max-length': 5, 'x-single-active-consumer': true }), []);
    assert.deepEqual(argumentProblems('classic', { 'x-overflow': 'reject-publish' }), []);
    assert.match(String(argumentProblems('quorum', { 'x-max-length': '5' })), /expected a whole number/);
    assert.match(String(argumentProblems('quorum', { 'x-queue-mode': 'lazy' })), /only a classic queue/);
  });

  it('that Hopline sets are refused with what to say instead', () => {
    for (const [argument, instead] of [
      ['x-queue-type', /say type/],
      ['x-delivery-limit', /deliveryLimit/],
      ['x-max-priority', /maxPriority/],
      ['x-dead-letter-exchange', /<queue>\.dead/],
      ['x-overflow', /type: 'classic'/],
    ] as const)
      assert.match(String(argumentProblems('quorum', { [argument]: 'reject-publish' })), instead);
  });

  it('that a version ignores are known by it', () => {
    assert.deepEqual(ignoredBy('3.10.8', 'quorum', 'x-delayed-retry-min'), ['x-delayed-retry-min']);
    assert.deepEqual(ignoredBy('4.3.6', 'quorum', 'x-delayed-retry-min'), []);
    assert.deepEqual(ignoredBy('4.0.5', 'quorum', 'x-max-in-memory-length'), ['x-max-in-memory-length']);
    assert.deepEqual(ignoredBy('3.10.8', 'quorum', 'x-max-in-memory-length'), []);
    assert.deepEqual(ignoredBy('4.3.6', 'classic', 'x-max-lenght'), ['x-max-lenght']);
  });

  it('that a queue has otherwise are told with both values', () => {
    const told = (words: string) => cureOfOtherArguments(`inequivalent arg ${words}`);
    assert.match(
      told(
        "'x-max-length' for queue 'q' in vhost '/': received the value '5' of type 'byte' but current is none\"",
      ),
      /x-max-length none, and the options ask for '5'.*migrate q/,
    );
    assert.match(
      told("'x-delivery-limit' for queue 'q.dead' in vhost '/': received '6' but current is '5'\""),
      /dead letters of 'q'/,
    );
  });
});

it('a queue of someone else has its dead letters and its landing queue beside it, and no binding but those', () => {
  const queue = needs({ name: 'theirs', declare: false });
  const { own } = planBus(new Names('app'), { exchanges: [], queues: [queue] });
  assert.deepEqual(
    own.queues.map(({ name, verifyOnly }) => [name, verifyOnly === true]),
    [
      ['theirs.dead', false],
      ['theirs', true],
      ['theirs.land', false],
    ],
  );
  assert.deepEqual(
    own.bindings.map(({ source, destination }) => `${source} ${destination}`),
    ['app.dead theirs.dead', 'app.land theirs', 'hopline.delay.1.out theirs.land'],
  );
});

for (const limit of ['x-max-length', 'x-max-length-bytes'])
  it(`a quorum queue with ${limit} is reached by delays through a queue of its own, also once migrated`, () => {
    const queue = needs({ arguments: { [limit]: 5 } });
    const names = new Names('app');
    const { own } = planBus(names, { exchanges: [], queues: [queue] });
    const leads = (plan: TopologyPlan) =>
      plan.bindings.map(({ source, destination }) => `${source} ${destination}`);
    assert.deepEqual(leads(own), ['app.dead full.dead', 'app.land full', 'hopline.delay.1.out full.land']);

    const generations = new Generations(names);
    generations.replace(new Map([['full', { name: 'full~2', type: 'quorum', isMoving: false }]]));
    const applied = generations.applied(own);
    assert.deepEqual(leads(applied), [
      'app.dead full.dead',
      'app.land full~2',
      'hopline.delay.1.out full.land',
    ]);
    assert.deepEqual(
      applied.queues.map(({ name }) => name),
      ['full.dead', 'full~2', 'full.land'],
    );
  });

it('a migrated queue that has no landing queue is reached at once, whatever the plan says', () => {
  const names = new Names('app');
  const queue = needs({ arguments: { 'x-max-length': 5 } });
  const generations = new Generations(names);
  generations.replace(new Map([['full', { name: 'full~2', type: 'quorum', isMoving: false, lands: false }]]));
  const { bindings, queues } = generations.applied(planBus(names, { exchanges: [], queues: [queue] }).own);
  assert.ok(
    bindings.some(({ source, destination }) => source === names.delayOut && destination === 'full~2'),
  );
  assert.ok(queues.every(({ name }) => name !== 'full.land'));
});
