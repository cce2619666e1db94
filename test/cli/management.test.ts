import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import { ManagementError } from '../../src/oversight/management/errors.js';
import { Management } from '../../src/oversight/management/management.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { type ManagedNode, managedNode } from './managed-node.js';

describe('the management API', function () {
  this.timeout(60_000);
  let managed: ManagedNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    const connection = await connect(managed.node.url);
    const channel = await connection.createChannel();
    await channel.assertExchange('shop/events', 'topic');
    await channel.assertQueue('mailer', { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 } });
    for (const pattern of ['email.*', 'a/b.#', '']) await channel.bindQueue('mailer', 'shop/events', pattern);
    await connection.close();
    await managed.node.ctl('set_policy', 'ttl', '^mail', '{"message-ttl":60000}', '--apply-to', 'queues');
  });

  it('tells of nodes, queues, bindings and policies what AMQP does not', async () => {
    const management = new Management(managed.managementUrl, '/');
    const facts = await eventually(async () => {
      const found = await management.facts();
      return found.queues.length === 1 && found;
    });
    assert.equal(facts.nodes.length, 1);
    const [node] = facts.nodes;
    assert.deepEqual(
      [node?.running, node?.memoryAlarm, node?.diskAlarm, node?.partitions],
      [true, false, false, []],
    );
    const [queue] = facts.queues;
    assert.deepEqual(
      [queue?.name, queue?.type, queue?.arguments],
      ['mailer', 'quorum', { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 }],
    );
    assert.deepEqual([queue?.members, queue?.online], [[node?.name], [node?.name]]);
    assert.deepEqual(
      facts.bindings
        .filter(({ source }) => source !== '')
        .map(({ source, destination, pattern }) => [source, destination, pattern])
        .toSorted(),
      [
        ['shop/events', 'mailer', ''],
        ['shop/events', 'mailer', 'a/b.#'],
        ['shop/events', 'mailer', 'email.*'],
      ],
    );
    assert.deepEqual(facts.policies, [
      {
        name: 'ttl',
        kind: 'policy',
        pattern: '^mail',
        appliesTo: 'queues',
        definition: { 'message-ttl': 60_000 },
      },
    ]);
  });

  it('undoes a binding, whatever its pattern is made of', async () => {
    const management = new Management(managed.managementUrl, '/');
    for (const left of [2, 1, 0]) {
      const [binding] = (await management.bindings()).filter(({ source }) => source !== '');
      assert.ok(binding);
      await management.unbind(binding);
      const bindings = await management.bindings();
      assert.equal(bindings.filter(({ source }) => source !== '').length, left);
    }
  });

  it('that refuses, or is not there, is an error that names the address, and no password', async () => {
    const wrong = managed.managementUrl.replace('guest:guest', 'guest:canary-Pa55');
    const cases = [
      { management: new Management(wrong, '/'), says: /refuses the credentials/ },
      {
        management: new Management('http://guest:canary-Pa55@127.0.0.1:1', '/'),
        says: /127\.0\.0\.1:1 does not answer/,
      },
      { management: new Management(managed.managementUrl, 'no such vhost'), says: /answers 404/ },
    ];
    for (const { management, says } of cases) {
      await assert.rejects(management.facts(), (error) => {
        assert.ok(error instanceof ManagementError);
        assert.match(error.message, says);
        assert.doesNotMatch(
          JSON.stringify([error.message, error.help, error.stack, String(error.cause)]),
          /canary/,
        );
        return true;
      });
    }
  });
});
