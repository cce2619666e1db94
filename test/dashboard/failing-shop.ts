import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import { SiteLetters } from '../../src/dashboard/letters/site-letters.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { Bus, memory, type Transport } from '../../src/index.js';
import { type FailuresOptions, openFailures } from '../../src/operate.js';
import { Names } from '../../src/topology/names.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { Trace, TracedTransport } from '../support/traced-transport.js';
import { acted, siteOf, watchOf } from './drawn.js';

export const AMQP_URL = process.env.AMQP_URL ?? 'amqp://guest:guest@127.0.0.1:5672';

const SHARED = 'hopline.delay';

export const REDACT = ['password', 'token', 'apikey'];

/** An application whose handlers fail as they are told, and a site that has what its failures' pages need. */
export async function failingShop(given: Transport = memory(), more: Partial<FailuresOptions> = {}) {
  const trace = new Trace();
  const transport = new TracedTransport(given, trace);
  const prefix = `test-${randomBytes(4).toString('hex')}`;
  const service = `${prefix}.shop`;
  const bus = new Bus({ service, prefix, transport, version: '1.4.2', log: silentLogger, failureLog: false });
  const options = { retry: { tries: 1 } } as const;
  const handled: unknown[] = [];
  const state = { isMended: false };
  bus.handle(
    'bill',
    (payload: { id: number; type?: string }) => {
      if (state.isMended) return void handled.push(payload.id);
      if (payload.type === 'late') throw new RangeError(`order ${payload.id} came late`);
      throw new TypeError(`no order ${payload.id}, password=hunter2`);
    },
    options,
  );
  bus.handle(
    'mail',
    () => {
      throw new Error('no <b>mailbox</b>');
    },
    options,
  );
  await bus.start();
  const failures = await openFailures({ transport, prefix, queues: [service], log: silentLogger, ...more });
  const index = failures.index();
  const operations = failures.operations(index, { takesOn: false });
  const names = new Names(prefix);
  const site: Site = siteOf({
    names,
    clock: transport.clock,
    index,
    watch: watchOf({}),
    jobs: undefined,
    batches: undefined,
    failures: async () => failures,
    letters: new SiteLetters({
      names,
      clock: transport.clock,
      failures: async () => failures,
      redact: REDACT,
    }),
    operations,
  });
  /** Publishes, and waits until all are dead letters that the index has. */
  const fail = async (key: string, payloads: readonly object[], more: object = {}) => {
    const before = index.letters().count;
    for (const payload of payloads) {
      const { id } = payload as { readonly id: number };
      await bus.publish(key, payload, { messageId: `${key}-${id}`, ...more });
    }
    await eventually(async () => {
      const [count] = await failures.count();
      assert.ok((count?.count ?? 0) >= before + payloads.length);
    });
    await index.refresh({ force: true });
    assert.equal(index.letters().count, before + payloads.length, index.state.problem);
  };
  /** Does what a form of a page would. */
  const act = (path: string, fields: Record<string, string | readonly string[]> = {}, by = 'ada') =>
    acted(site, path, fields, by);
  const close = async () => {
    await operations.close();
    await index.close();
    await failures.close();
    await bus.stop();
    if (given.kind !== 'memory') await remove(trace);
  };
  return {
    bus,
    prefix,
    service,
    deadQueue: `${service}.dead`,
    site,
    index,
    failures,
    operations,
    handled,
    state,
    fail,
    act,
    close,
  };
}

/** Removes what was declared, but for the delays: all applications of the broker share them. */
async function remove({ queues, exchanges }: Trace): Promise<void> {
  const connection = await connect(AMQP_URL);
  const channel = await connection.createChannel();
  for (const queue of queues) if (!queue.startsWith(SHARED)) await channel.deleteQueue(queue);
  for (const exchange of exchanges) if (!exchange.startsWith(SHARED)) await channel.deleteExchange(exchange);
  await connection.close();
}

export type FailingShop = Awaited<ReturnType<typeof failingShop>>;
