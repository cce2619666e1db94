import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeadLetterSummary } from '../../src/operate.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { sized } from '../support/long.js';
import { Command, hoplineHere } from './command.js';
import { FailingService } from './service.js';

const MANY = sized(2_000, 10_000);
const COUNT = MANY.toLocaleString('en');
const MIDDLE = MANY / 2;
const idOf = (index: number) => `letter-${String(index).padStart(5, '0')}`;

describe(`hopline failed with ${COUNT} dead letters`, function () {
  this.timeout(120_000);
  let url: string;
  let service: FailingService;
  let directory: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    directory = await mkdtemp(join(tmpdir(), 'hopline-cli-'));
    service = new FailingService(url);
    await service.start();
  });
  after(async () => {
    await service.remove();
    await rm(directory, { recursive: true });
  });

  const args = (...words: string[]) => [
    'failed',
    ...words,
    '--queue',
    service.queue,
    '--prefix',
    service.name,
  ];
  const failed = async (...words: string[]) => {
    const ended = await hoplineHere(args(...words), { url });
    assert.equal(ended.code, 0, ended.stderr);
    return ended.stdout;
  };
  const listed = async () =>
    (JSON.parse(await failed('list', '--json')) as DeadLetterSummary[]).map(({ id }) => id);

  it('lists and shows them, replays one, replays the rest through a kill -9, and loses none', async () => {
    // One that really failed, made into thousands.
    await service.fail('seed');
    const seed = JSON.parse(await failed('export'));
    await failed('flush', '--yes');
    const all = Array.from({ length: MANY }, (_, index) => idOf(index));
    const file = join(directory, 'many.ndjson');
    const line = (id: string) =>
      JSON.stringify({
        ...seed,
        id,
        properties: { ...seed.properties, messageId: id },
        body: Buffer.from(JSON.stringify({ to: id })).toString('base64'),
      });
    await writeFile(file, `${all.map(line).join('\n')}\n`);
    assert.equal(await failed('import', file, '--yes'), `${COUNT} dead letters imported\n`);

    assert.deepEqual(await listed(), all);
    assert.deepEqual(await listed(), all, 'a second look sees the same, in the same order');
    assert.match(await failed('show', idOf(MIDDLE)), new RegExp(`"to": "${idOf(MIDDLE)}"`));

    service.mended = true;
    assert.equal(await failed('retry', idOf(MIDDLE)), '1 dead letter replayed\n');
    await eventually(() => assert.deepEqual([...service.handled], [idOf(MIDDLE)]));
    const rest = all.filter((id) => id !== idOf(MIDDLE));
    assert.deepEqual(await listed(), rest);

    const killed = new Command(args('retry', '--all', '--rate', `${MANY / 10}/s`, '--yes'), { url });
    await eventually(() => assert.ok(service.handled.size > 0.15 * MANY), { timeout: 30_000 });
    killed.child.kill('SIGKILL');
    assert.equal((await killed.ended).code, 'SIGKILL');
    // What it held comes back once the broker has noticed.
    await eventually(async () => {
      const dead = await service.dead();
      assert.ok(dead < rest.length - MANY / 10 && dead + service.handled.size >= MANY, `${dead} dead`);
    });
    const left = new Set(await listed());
    assert.deepEqual(
      all.filter((id) => !left.has(id) && !service.handled.has(id)),
      [],
      'neither dead nor handled',
    );

    const result = await failed('retry', '--all', '--rate', '5000/s', '--yes');
    assert.match(result, /^[\d,]+ dead letters replayed\n$/);
    await eventually(() => assert.equal(service.handled.size, MANY), { timeout: 30_000 });
    assert.equal(await service.dead(), 0);
    assert.ok(service.calls - MANY <= 250, `${service.calls - MANY} came twice: no more than were under way`);
  });

  it('flushes them', async () => {
    await failed('import', join(directory, 'many.ndjson'), '--yes');
    assert.equal(await failed('flush', '--yes'), `${COUNT} dead letters deleted\n`);
    assert.equal(await service.dead(), 0);
  });
});
