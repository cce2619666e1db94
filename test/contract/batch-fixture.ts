import assert from 'node:assert/strict';
import type { BatchContext, Bus, MessageContext } from '../../src/index.js';
import { UnrecoverableError } from '../../src/index.js';
import type { BatchStore } from '../../src/stores/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { type BusFixture, type Recorder, wireHeaders } from '../support/bus-fixture.js';

/** So many jobs, each with its index as its payload. */
export const jobs = (count: number, key = 'job') =>
  Array.from({ length: count }, (_none, payload) => ({ key, payload }));

export function batchOf(context: MessageContext): BatchContext {
  assert.ok(context.batch);
  return context.batch;
}

/** What a worker has been told of a batch: `success 3/0/0 of 3`, done, failed and skipped. */
export const told = (seen: Recorder) =>
  seen.calls.map(({ context }) => {
    const { notification, counts } = batchOf(context);
    assert.ok(counts);
    return `${notification} ${counts.done}/${counts.failed}/${counts.skipped} of ${counts.total}`;
  });

/** A service that handles jobs and what is sent for their batches. */
export async function worker(fx: BusFixture, then?: ConstructorParameters<typeof Recorder>[1], options = {}) {
  const seen = fx.recorder(then);
  const news = fx.recorder();
  const stores = memoryStores(fx.harness.clock);
  const bus = fx
    .bus('worker', { stores })
    .handle('job', seen.handle, { queue: fx.name('jobs'), name: 'Work', retry: { tries: 1 }, ...options })
    .handle('news.#', news.handle, { queue: fx.name('news') });
  await bus.start();
  return { bus, seen, news, stores, store: stores.batches as BatchStore };
}

export const all = (batch: ReturnType<Bus['batch']>) =>
  batch
    .onSuccess({ key: 'news.success', payload: 'success' })
    .onFailure({ key: 'news.failure', payload: 'failure' })
    .onEnd({ key: 'news.end', payload: 'end' });

export const failing =
  (...indices: unknown[]) =>
  ({ payload }: { payload: unknown }) => {
    if (indices.includes(payload)) throw new UnrecoverableError(`job ${payload} fails`);
  };

/** Publishes the first job that was handled once more, as the broker delivers one again that was not acked. */
export async function copyOf(fx: BusFixture, seen: Recorder): Promise<void> {
  const { context } = seen.at(0);
  const { messageId } = context;
  const properties = {
    ...{ messageId: messageId as string, contentType: 'application/json' },
    headers: wireHeaders(context),
  };
  await fx.foreign.publish({ exchange: fx.events, routingKey: 'job', body: '0', properties });
}
