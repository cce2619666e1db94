import assert from 'node:assert/strict';
import type { Stores } from '../../src/index.js';
import type { LeaseStore } from '../../src/stores/leases.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { systemClock } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

const LEASE_MS = 2_000;
const SLOW = { timeout: 30_000 };

describe('a job that takes long, and what it was sent on as', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  let proxy: TcpProxy;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(async () => {
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
  });

  afterEach(async () => {
    await stopAll();
    await proxy.close();
  });

  it('run one at a time, if it was sent on while the store was away, and its broker heard of no ack', async () => {
    let isFirst = true;
    const jobs = await laid(async (call) => {
      if (call !== 'take' || !isFirst) return;
      isFirst = false;
      // The copy is stored, and nobody is told so.
      proxy.drop('broker-to-client');
      void eventually(() => proxy.droppedBytes > 0).then(() => {
        proxy.reset();
        proxy.resume();
      });
      throw new Error('the store is away');
    });
    await eventually(() => assert.equal(jobs.attempts.length, 1), SLOW);
    await jobs.bothAreHere();
    jobs.gate.resolve();
    await jobs.end();
    assert.equal(jobs.mostAtOnce, 1);
  });

  it('run one at a time, if its retry was sent and its end could not be stored', async () => {
    const jobs = await laid(endingUnstored(), RETRIED);
    await eventually(() => assert.equal(jobs.attempts.length, 2), SLOW);
    await jobs.bothAreHere();
    jobs.gate.resolve();
    await eventually(() => assert.deepEqual(jobs.attempts, [1, 1, 2]), SLOW);
    await jobs.end();
    assert.equal(jobs.mostAtOnce, 1);
  });

  it('are both there in the end, though the retry is delivered again while it waits for the attempt that it follows', async () => {
    const isUnstored = endingUnstored();
    let isCut = false;
    const jobs = await laid(async (call) => {
      await isUnstored(call);
      if (call !== 'take' || isCut || jobs.atOnce === 0 || jobs.attempts.length < 2) return;
      isCut = true;
      proxy.reset();
    }, RETRIED);
    await eventually(() => assert.ok(isCut), SLOW);
    await jobs.bothAreHere();
    jobs.gate.resolve();
    await eventually(() => assert.deepEqual(jobs.attempts, [1, 1, 2]), SLOW);
    await jobs.end();
    assert.equal(jobs.mostAtOnce, 1);
  });

  /** The first attempt fails; its retry takes longer than what was delivered for it takes to begin again. */
  const RETRIED = { fails: 1, backoffMs: 10_000 };

  /** No end can be stored until what it was delivered with is gone, and it is given up: its lease then ends with its time. */
  function endingUnstored(): (call: string) => Promise<void> {
    let fails: string[] = ['finish', 'release'];
    return async (call) => {
      if (!fails.includes(call)) return;
      if (call === 'finish') proxy.reset();
      else fails = [];
      throw new Error('the store is away');
    };
  }

  /** A job that is sent: it runs until the gate is opened, but for those of its runs that fail at once. */
  async function laid(before: (call: string) => Promise<void>, { fails = 0, backoffMs = 1_000 } = {}) {
    const service = uniqueName('video');
    const stores: Stores = { ...memoryStores(systemClock), isOfProcess: false };
    const leases = faulty(stores.leases as LeaseStore, before);
    const { bus } = faultBus(through(proxy, node), {
      service,
      prefix: service,
      stores: { ...stores, leases },
    });
    const jobs = {
      attempts: [] as number[],
      atOnce: 0,
      mostAtOnce: 0,
      gate: deferred(),
      /** One runs, and the other has been kept from that; or it has not. */
      bothAreHere: () => {
        const from = guarded.length;
        return eventually(() => assert.ok(guarded.length > from || jobs.atOnce > 1), SLOW);
      },
      end: () =>
        eventually(async () => {
          assert.equal(jobs.atOnce, 0);
          for (const queue of ['jobs', 'guards', 'jobs.dead'])
            assert.equal(await messagesIn(`${service}.${queue}`), 0, queue);
        }, SLOW),
    };
    bus.handle(
      'job',
      async (_payload, { attempt }) => {
        jobs.attempts.push(attempt);
        jobs.atOnce += 1;
        jobs.mostAtOnce = Math.max(jobs.mostAtOnce, jobs.atOnce);
        try {
          if (jobs.attempts.length <= fails) throw new Error('it fails at first');
          await jobs.gate.promise;
        } finally {
          jobs.atOnce -= 1;
        }
      },
      {
        ...{ name: 'Encode', timeout: '20s', long: { lease: LEASE_MS } },
        retry: { tries: 5, backoff: backoffMs, jitter: 0 },
        queue: { name: `${service}.jobs`, concurrency: 3 },
      },
    );
    const guarded = watch(bus, 'message.guarded');
    await bus.start();
    await bus.publish('job', 1);
    return jobs;
  }

  const messagesIn = (queue: string) =>
    raw(node, async (channel) => (await channel.checkQueue(queue)).messageCount);
});

/** Leases before whose calls something is done, which may throw what a store that is away does. */
function faulty(inner: LeaseStore, before: (call: string) => Promise<void>): LeaseStore {
  const through =
    <Given extends unknown[], T>(name: string, call: (...given: Given) => Promise<T>) =>
    async (...given: Given): Promise<T> => {
      await before(name);
      return call(...given);
    };
  return {
    take: through('take', inner.take.bind(inner)),
    look: through('look', inner.look.bind(inner)),
    renew: through('renew', inner.renew.bind(inner)),
    finish: through('finish', inner.finish.bind(inner)),
    release: through('release', inner.release.bind(inner)),
  };
}
