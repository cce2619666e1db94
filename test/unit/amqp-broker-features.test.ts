import assert from 'node:assert/strict';
import { TopologyError } from '../../src/errors.js';
import type { QueuePlan, TopologyPlan } from '../../src/topology/plan.js';
import {
  type BrokerFeatures,
  brokerFeatures,
  requireFeatures,
} from '../../src/transport/amqp/connection/broker-features.js';

const rabbitmq = (version: string) =>
  brokerFeatures({ product: 'RabbitMQ', version, platform: 'Erlang/OTP' });

describe('what a broker can do', () => {
  it('follows from the version it announces: priorities on quorum queues', () => {
    const table: [string, BrokerFeatures['quorumPriorities']][] = [
      ['3.10.8', 'none'],
      ['3.13.7', 'none'],
      ['4.0.5', 'two-classes'],
      ['4.2.1', 'two-classes'],
      ['4.3.0-rc.1', 'strict'],
      ['4.3.6', 'strict'],
      ['4.10.0', 'strict'],
      ['5.0.0', 'strict'],
    ];
    for (const [version, expected] of table) {
      const { name, quorumPriorities } = rabbitmq(version);
      assert.deepEqual(
        { name, quorumPriorities },
        { name: `RabbitMQ ${version}`, quorumPriorities: expected },
      );
    }
  });

  it('follows from the version it announces: what counts as a failed delivery, and how patterns may look', () => {
    for (const version of ['3.10.8', '4.0.5', '4.2.9']) {
      assert.deepEqual([rabbitmq(version).countsNacks, rabbitmq(version).maxHashes], [true, Infinity]);
    }
    for (const version of ['4.3.0', '4.3.6', '5.0.0']) {
      assert.deepEqual([rabbitmq(version).countsNacks, rabbitmq(version).maxHashes], [false, 2]);
    }
  });

  it('says who can tell it how long a message may be kept', () => {
    const by = (version: string) => rabbitmq(version).consumerTimeoutBy;
    assert.deepEqual(['3.10.8', '3.11.28'].map(by), ['configuration', 'configuration']);
    assert.deepEqual(['3.12.0', '3.13.7', '4.0.5', '4.2.6'].map(by), Array(4).fill('policy'));
    assert.deepEqual(['4.3.0', '5.0.0'].map(by), ['consumer', 'consumer']);
  });

  it('is the least for a broker that nobody knows', () => {
    const least = {
      quorumPriorities: 'none',
      countsNacks: true,
      consumerTimeoutBy: 'configuration',
      maxHashes: Infinity,
      forgetsTransient: true,
    };
    assert.deepEqual(brokerFeatures({}), { name: 'the broker', ...least });
    assert.deepEqual(rabbitmq('main'), { name: 'RabbitMQ main', ...least });
    const other = brokerFeatures({ product: 'OtherMQ', version: '9.9.9' });
    assert.deepEqual(other, { name: 'OtherMQ 9.9.9', ...least });
  });
});

describe('a plan that asks for priorities', () => {
  const plan = (...queues: QueuePlan[]): TopologyPlan => ({ exchanges: [], queues, bindings: [] });
  const quorum: QueuePlan = { name: 'q', arguments: { 'x-queue-type': 'quorum' } };

  it('on a quorum queue is refused by a broker that would not heed them, with what it does instead', () => {
    const table: [string, RegExp][] = [
      [
        '3.10.8',
        /^queue 'q' needs .* up to 7, but RabbitMQ 3\.10\.8 ignores message priorities on quorum queues$/,
      ],
      ['4.0.5', /but RabbitMQ 4\.0\.5 has only two priorities on quorum queues, and mixes them 2:1$/],
    ];
    for (const [version, message] of table) {
      assert.throws(
        () => requireFeatures(plan(quorum, { ...quorum, maxPriority: 7 }), rabbitmq(version)),
        (error) => {
          assert.ok(error instanceof TopologyError);
          assert.equal(error.resource, "queue 'q'");
          assert.match(error.message, message);
          return true;
        },
      );
    }
    requireFeatures(plan({ ...quorum, maxPriority: 7 }), rabbitmq('4.3.6'));
  });

  it('on a classic queue, or none at all, is fine with every broker', () => {
    const classic: QueuePlan = {
      name: 'c',
      arguments: { 'x-queue-type': 'classic', 'x-max-priority': 7 },
      maxPriority: 7,
    };
    for (const version of ['3.10.8', '4.0.5', '4.3.6'])
      requireFeatures(plan(quorum, classic), rabbitmq(version));
  });
});

describe('a plan with a pattern of many wildcards', () => {
  const plan = (pattern: string): TopologyPlan => ({
    exchanges: [],
    queues: [],
    bindings: [{ source: 'events', destination: 'q', destinationType: 'queue', pattern }],
  });

  it('is refused by a broker that would not bind it, before that closes the channel', () => {
    assert.throws(
      () => requireFeatures(plan('#.a.#.b.#'), rabbitmq('4.3.6')),
      (error) => {
        assert.ok(error instanceof TopologyError);
        assert.match(
          error.message,
          /'q' has the pattern '#\.a\.#\.b\.#' with 3 '#', but RabbitMQ 4\.3\.6 allows 2$/,
        );
        return true;
      },
    );
  });

  it('is none of the business of the others', () => {
    requireFeatures(plan('#.a.#.b.#'), rabbitmq('4.2.0'));
    requireFeatures(plan('#.a.#'), rabbitmq('4.3.6'));
    requireFeatures(plan('#.##.#'), rabbitmq('4.3.6'));
  });
});
