import assert from 'node:assert/strict';
import type { BatchStore } from '../../src/stores/batches.js';

type Moment = 'verdict_at' | 'finally_at';

/** @param age moves a moment of a batch back by more than half a minute */
export async function overdueIn(
  batches: BatchStore,
  age: (id: string, moment: Moment) => Promise<void>,
): Promise<void> {
  async function made(id: string, { jobs = 0, service = 'mailer' } = {}) {
    const keepMs = 60_000;
    await batches.open({ id, name: id, service, allowsFailures: false, notifications: '{}', keepMs });
    if (jobs > 0) await batches.reserve(id, 'all', jobs);
    await batches.seal(id);
  }
  const overdue = async () => (await batches.overdue('mailer', 10)).sort();
  await made('running', { jobs: 1 });
  await made('fresh');
  await made('finished');
  await made('half', {});
  await made('of another service', { service: 'other' });
  await made('cancelled', { jobs: 1 });
  await batches.cancel('cancelled');
  assert.deepEqual(await overdue(), []);
  for (const id of ['finished', 'half', 'of another service']) {
    await age(id, 'verdict_at');
    await age(id, 'finally_at');
  }
  await age('cancelled', 'verdict_at');
  await batches.sent('half', 'then');
  assert.deepEqual(await overdue(), ['cancelled', 'finished', 'half']);
  assert.equal((await batches.overdue('mailer', 2)).length, 2);
  // What is decided is handed to whoever cancels, and not changed.
  const change = await batches.cancel('finished');
  assert.deepEqual([change?.due, change?.hasCancelled], [['then', 'finally'], false]);
  await batches.sent('finished', 'then');
  await batches.sent('finished', 'finally');
  await batches.sent('half', 'finally');
  await batches.sent('cancelled', 'catch');
  assert.deepEqual(await overdue(), []);
}
