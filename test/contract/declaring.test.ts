import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { TopologyError } from '../../src/errors.js';
import type { ExchangePlan, QueuePlan, TopologyPlan } from '../../src/topology/plan.js';
import { declarePlan, missingExchanges } from '../../src/transport/amqp/topology/declare.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';

/** Of each kind: more than there are channels, so that each channel has several steps. */
const EACH = 10;

describe('a topology is declared', () => {
  const prefix = `declaring-${randomUUID().slice(0, 8)}`;
  const plan: TopologyPlan = {
    exchanges: Array.from({ length: EACH }, (_, index) => exchange(`${prefix}.e${index}`)),
    queues: Array.from({ length: EACH }, (_, index) => queue(`${prefix}.q${index}`)),
    bindings: Array.from({ length: EACH }, (_, index) => ({
      source: `${prefix}.e${index}`,
      destination: `${prefix}.q${index}`,
      destinationType: 'queue',
      pattern: '#',
    })),
  };
  let model: ChannelModel;
  /** Channels that were opened. */
  let opened: number;

  beforeEach(async () => {
    model = await connect((await sharedBroker()).url);
    opened = 0;
    const create = model.createChannel.bind(model);
    model.createChannel = () => {
      opened += 1;
      return create();
    };
  });

  afterEach(async () => {
    const channel = await model.createChannel();
    for (const { name } of plan.queues) await channel.deleteQueue(name);
    for (const { name } of plan.exchanges) await channel.deleteExchange(name);
    await model.close();
  });

  it('over the same four channels, from the first exchange to the last binding, and leaves none open', async () => {
    await declarePlan(model, plan, 'declare');
    assert.equal(opened, 4);
    assert.deepEqual(await missingExchanges(model, plan), []);
    await allClosed();
  });

  it('right beside what the broker refuses: the refusal is named, and the rest of the same plan is declared after it', async () => {
    const [first, second, ...others] = plan.exchanges as [ExchangePlan, ExchangePlan, ...ExchangePlan[]];
    await declarePlan(
      model,
      { ...plan, exchanges: [{ ...second, type: 'fanout' }], queues: [], bindings: [] },
      'declare',
    );
    await assert.rejects(declarePlan(model, plan, 'declare'), (error: TopologyError) => {
      assert.ok(error instanceof TopologyError, String(error));
      assert.equal(error.resource, `exchange '${second.name}'`);
      return true;
    });
    await declarePlan(
      model,
      { ...plan, exchanges: [first, { ...second, type: 'fanout' }, ...others] },
      'declare',
    );
    await declarePlan(model, { ...plan, exchanges: [first, ...others] }, 'verify');
    await allClosed();
  });

  it('not where it is only looked for: each one that is missing costs a channel, and the next is still found', async () => {
    const { exchanges } = plan;
    const even = exchanges.filter((_, index) => index % 2 === 0);
    await declarePlan(model, { exchanges: even, queues: [], bindings: [] }, 'declare');
    assert.deepEqual(
      await missingExchanges(model, plan),
      exchanges.filter((each) => !even.includes(each)).map(({ name }) => name),
    );
    const [missing] = plan.queues as [QueuePlan];
    await assert.rejects(
      declarePlan(model, { exchanges: even, queues: plan.queues, bindings: [] }, 'verify'),
      {
        name: 'TopologyError',
        resource: `queue '${missing.name}'`,
      },
    );
    await allClosed();
  });

  /** Channels are closed without being waited for. */
  function allClosed(): Promise<unknown> {
    const { channels } = model.connection as unknown as { channels: (object | null)[] };
    // The first place is the connection's own.
    return eventually(() => assert.equal(channels.slice(1).filter(Boolean).length, 0));
  }
});

function exchange(name: string): ExchangePlan {
  return { name, type: 'topic' };
}

function queue(name: string): QueuePlan {
  return { name, arguments: { 'x-queue-type': 'classic' } };
}
