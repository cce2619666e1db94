import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { run } from '../examples/program.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { codeBlocks } from '../project/markdown.js';
import { read, root } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedBroker } from '../support/global-setup.js';

const RELAY = 'webhook-relay/main.js';
const QUEUES = ['audit', 'notifier', 'delivery.healthy', 'delivery.flaky', 'delivery.refusing'];

/** The README's commands about dead letters, as they stand. */
const script = codeBlocks(read('examples/webhook-relay/README.md')).find(({ code }) =>
  code.startsWith('failed()'),
);

describe("the webhook relay's dead letters", function () {
  this.timeout(90_000);
  let amqpUrl: string;
  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    amqpUrl = (await sharedBroker()).url;
    // Dead letters of an earlier run would be counted, too.
    await clean();
  });
  const clean = () =>
    removeFromBroker(amqpUrl, {
      queues: QUEUES.map((queue) => `relay.${queue}`),
      prefix: 'relay',
    });
  after(clean);

  it('are listed, shown and replayed with the commands in its README, and the next run handles them', async () => {
    const first = await run(RELAY, { amqpUrl });
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const { stdout } = await promisify(execFile)('sh', ['-ec', script?.code ?? 'false'], {
      cwd: root,
      env: { ...process.env, AMQP_URL: amqpUrl },
    });
    assert.match(stdout, /^325 +exhausted\n4 +unrecoverable$/m);
    assert.equal([...stdout.matchAll(/^[0-9a-f-]{36} +relay\.delivery\.refusing +github\./gm)].length, 5);
    assert.match(stdout, /^body \(\d+ bytes\)\n {2}\{\n/m);
    assert.match(stdout, /^4 dead letters replayed$/m);

    const input = JSON.stringify({ key: 'github.push', payload: {} });
    const next = await run(RELAY, { args: ['-'], input, amqpUrl });
    assert.equal(next.code, 0, next.stdout + next.stderr);
    assert.match(next.stdout, /^from an earlier run: [1-4]\b/m);
    assert.match(next.stdout, /nothing unexplained: the account balances$/m);
  });
});
