import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../examples/program.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { longTest } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';

describe('the webhook relay', function () {
  this.timeout(120_000);
  let node: PrivateNode;
  let directory: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'webhook-relay-fault-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  for (const { how, args, test } of [
    // In short: each service a process, which has as many connections again.
    { how: 'in one process', args: [], test: longTest },
    { how: 'with each service a process', args: ['--processes'], test: it },
  ]) {
    test(`${how}, accounts for every message though all connections are closed again and again`, async () => {
      const program = new Program('webhook-relay/main.js', {
        args: [...args, '--out', directory],
        amqpUrl: node.url,
      });
      let running = true;
      const ended = program.ended.finally(() => {
        running = false;
      });
      await eventually(() => access(join(directory, 'audit.ndjson')), { timeout: 30_000 });
      for (let round = 0; round < 3 && running; round += 1) await node.ctl('close_all_connections', 'test');
      assert.equal(await ended, 0, program.output);
      assert.match(program.stdout, /^329 published × matching queues = 1,359 = .*: the account balances$/m);
      assert.match(program.output, /no connection to the broker/, 'the run was disturbed');
    });
  }
});
