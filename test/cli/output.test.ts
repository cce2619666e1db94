import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Command, hopline, MAIN } from './command.js';
import { FailingService } from './service.js';

const ESCAPE = '\u001b';

describe("hopline's output", function () {
  this.timeout(60_000);
  let url: string;
  let service: FailingService;
  let args: string[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    service = new FailingService(url);
    await service.start();
    await service.fail('one', `evil${ESCAPE}[31m`, 'three');
    args = ['failed', '--queue', service.queue, '--prefix', service.name];
  });
  after(() => service.remove());

  it('has no colours in a pipe, and on a terminal none with NO_COLOR', async () => {
    assert.ok(!(await hopline(args, { url })).stdout.includes(ESCAPE));
    const terminal = await new Command(args, { url, terminal: true }).ended;
    assert.ok(terminal.stdout.includes(`${ESCAPE}[1mREASON`), terminal.stdout);
    const plain = await new Command(args, { url, terminal: true, env: { NO_COLOR: '1' } }).ended;
    assert.ok(plain.stdout.includes('REASON'));
    assert.ok(!plain.stdout.includes(ESCAPE), plain.stdout);
  });

  it('shows control characters that others have written, and does not obey them', async () => {
    const list = await hopline(args, { url });
    assert.match(list.stdout, /^evil\\x1b\[31m /m);
    const show = await hopline(['failed', 'show', 'evil', ...args.slice(1)], { url });
    assert.match(show.stdout, /evil\\x1b\[31m/);
    assert.ok(!show.stdout.includes(ESCAPE));
  });

  it('is cut at the width of a terminal, and never in a pipe', async () => {
    const [, line = ''] = (await hopline(args, { url })).stdout.split('\n');
    assert.match(line, /Error: the server says no$/);
    const terminal = await new Command(args, { url, terminal: true, env: { NO_COLOR: '1' } }).ended;
    assert.match(terminal.stdout, /…/);
  });

  it('ends quietly when its reader has read enough', async () => {
    const words = [process.execPath, MAIN, ...args, '--json'].map((word) => `'${word}'`).join(' ');
    // true reads nothing and is gone before the command writes.
    const child = spawn('sh', ['-c', `{ ${words}; echo "code $?" >&2; } | true`], {
      env: { ...process.env, AMQP_URL: url },
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child, 'close');
    assert.equal(stderr, 'code 0\n');
  });

  it('of an interrupted replay says what is left, and ends with 130', async () => {
    const many = new FailingService(url);
    await many.start();
    const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
    await many.fail(...ids);
    many.mended = true;
    const command = new Command(
      ['failed', 'retry', '--all', '--rate', '20/s', '--yes', '--queue', many.queue, '--prefix', many.name],
      { url },
    );
    await eventually(() => assert.ok(many.handled.size >= 3));
    command.child.kill('SIGINT');
    const { code, stderr } = await command.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /^\d+ dead letters replayed, \d+ left: it was interrupted$/m);
    const left = Number(/(\d+) left/.exec(stderr)?.[1]);
    await eventually(async () => assert.equal(await many.dead(), left));
    await eventually(() => assert.equal(many.handled.size, 40 - left));
    assert.equal(many.calls, 40 - left, 'none came twice');
    await many.remove();
  });
});
