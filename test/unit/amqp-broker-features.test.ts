import assert from 'node:assert/strict';
import { TopologyError } from '../../src/errors.js';
import type { QueuePlan, TopologyPlan } from '../../src/topology/plan.js';
import {
  type BrokerFeatures,
  brokerFeatures,
  requireFeatures,
} from '../../src/transport/amqp/broker-features.js';

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
      assert.deepEqual(rabbitmq(version), { name: `RabbitMQ ${version}`, quorumPriorities: expected });
    }
  });

  it('is the least for a broker that nobody knows', () => {
    assert.deepEqual(brokerFeatures({}), { name: 'the broker', quorumPriorities: 'none' });
    assert.deepEqual(rabbitmq('main'), { name: 'RabbitMQ main', quorumPriorities: 'none' });
    assert.deepEqual(brokerFeatures({ product: 'OtherMQ', version: '9.9.9' }), {
      name: 'OtherMQ 9.9.9',
      quorumPriorities: 'none',
    });
  });
});

describe('a plan that asks for priorities', () => {
  const plan = (...queues: QueuePlan[]): TopologyPlan => ({ exchanges: [], queues, bindings: [] });
  const quorum: QueuePlan = { name: 'q', arguments: { 'x-queue-type': 'quorum' } };

  it('on a quorum queue is refused by a broker that would not heed them, with what it does instead', () => {
    const table: [string, RegExp][] = [
      [
        '3.10.8',
        /^queue 'q' wants .* up to 7, but RabbitMQ 3\.10\.8 ignores message priorities on quorum queues$/,
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
