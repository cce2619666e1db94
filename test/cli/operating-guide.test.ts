import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Bus, defineMessage, rabbitmq } from '../../src/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { codeBlocks } from '../project/markdown.js';
import { read } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { INDEX, MAIN } from './command.js';

const run = promisify(execFile);

/** Every line of the guide's shell blocks, in order. The address in it is an example; the test has its own. */
const commands = codeBlocks(read('docs/operating.md'))
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'))
  .filter((line) => !line.startsWith('export AMQP_URL='));

/** What is published before anybody reads the guide: the id, the routing key, and what becomes of it. */
const LETTERS = [
  ['letter-1', 'order.placed', { why: 'down' }],
  ['letter-2', 'order.placed', { why: 'no' }],
  ['letter-3', 'order.placed', { why: 'acme is down' }],
  ['letter-4', 'order.placed', { why: 'no' }],
  ['letter-5', 'order.check', { id: 'no number' }],
] as const;

describe('the guide to operating', function () {
  this.timeout(90_000);
  const handled: unknown[] = [];
  let url: string;
  let directory: string;
  let bus: Bus;
  let mended = false;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    directory = await mkdtemp(join(tmpdir(), 'hopline-guide-'));
    await application();
    bus = new Bus({ service: 'shop', prefix: 'shop', transport: rabbitmq({ url }), log: silentLogger });
    const options = { queue: 'shop.billing', retry: { tries: 1 } };
    const handle = (payload: unknown, { messageId }: { messageId: string | undefined }) => {
      handled.push(messageId);
      return payload;
    };
    bus.handle(
      'order.placed',
      (payload, context) => {
        const { why } = payload as { why: string };
        if (why === 'no') context.fail('not this one');
        else if (!mended) throw new Error(why);
        else handle(payload, context);
      },
      options,
    );
    bus.handle(defineMessage('order.check', z.object({ id: z.number() })), handle, options);
    await bus.start();
    for (const [messageId, key, payload] of LETTERS) await bus.publish(key, payload, { messageId });
    const dead = () => hopline('hopline failed --json').then((out) => JSON.parse(out).length);
    await eventually(async () => assert.equal(await dead(), LETTERS.length));
  });
  after(async () => {
    await bus?.stop();
    await removeFromBroker(url, { queues: ['shop.billing'], prefix: 'shop' });
    await rm(directory, { recursive: true });
  });

  /** What a reader has: a project with the application built, and the command on its path. */
  async function application(): Promise<void> {
    await mkdir(join(directory, 'dist'));
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'package.json'), '{"type":"module","hopline":{"app":"dist/app.js"}}');
    await writeFile(
      join(directory, 'dist/app.js'),
      `import { Bus, rabbitmq } from ${JSON.stringify(INDEX)};
       export const bus = new Bus({ service: 'shop', prefix: 'shop', transport: rabbitmq({ url: process.env.AMQP_URL }) });
       bus.handle('order.#', () => {}, { queue: 'shop.billing' });`,
    );
    const shim = join(directory, 'bin/hopline');
    await writeFile(shim, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    await chmod(shim, 0o755);
  }

  async function hopline(line: string): Promise<string> {
    const env = { ...process.env, AMQP_URL: url, PATH: `${join(directory, 'bin')}:${process.env.PATH}` };
    const { stdout } = await run('sh', ['-c', line], { cwd: directory, env });
    return stdout;
  }

  it('has commands that do what it says, one after the other', async () => {
    const outputs = new Map<string, string>();
    for (const line of commands) {
      assert.match(line, /^hopline /);
      if (line.startsWith('hopline failed retry')) mended = true;
      // Each that changes something is followed by one that shows it.
      outputs.set(line, await hopline(line));
    }
    const said = (line: string) => outputs.get(line) ?? assert.fail(`the guide has no command '${line}'`);
    assert.match(said('hopline failed --limit 20'), /^letter-1 .*exhausted/m);
    assert.match(said('hopline failed --since 2h --grep acme'), /^ID.*\nletter-3 .*\n$/);
    assert.equal(JSON.parse(await readFile(join(directory, 'dead.json'), 'utf8')).length, LETTERS.length);
    assert.match(said('hopline failed --by error'), /Error: acme is down/);
    assert.equal(said('hopline failed show letter-1 --raw'), '{"why":"down"}');
    assert.equal(said('hopline failed retry letter-1'), '1 dead letter replayed\n');
    assert.equal(
      said('hopline failed retry --all --reason exhausted --rate 50/s --yes'),
      '1 dead letter replayed\n',
    );
    assert.equal(
      said('hopline failed retry --all --reason invalid --republish --yes'),
      '1 dead letter replayed\n',
    );
    assert.equal(said('hopline failed forget letter-2 --yes'), '1 dead letter forgotten\n');
    assert.equal(said('hopline failed forget --all --reason rejected --yes'), '1 dead letter forgotten\n');
    assert.match(
      said('hopline failed prune --older-than 30d --dry-run'),
      /^0 dead letters that failed before/,
    );
    assert.match(
      said('hopline failed flush --yes'),
      /^(1 dead letter deleted|0 dead letters: nothing to flush)\n$/,
    );
    assert.equal(said('hopline failed import dead.ndjson --yes'), '5 dead letters imported\n');
    await eventually(() => assert.equal(handled.length, 3));
    assert.deepEqual(handled.slice(0, 2), ['letter-1', 'letter-3']);
  });
});
