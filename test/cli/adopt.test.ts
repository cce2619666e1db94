import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { hoplineHere } from './command.js';
import { type ManagedNode, managedNode } from './managed-node.js';

describe('hopline adopt', function () {
  this.timeout(60_000);
  let managed: ManagedNode;
  let connection: ChannelModel;
  let directory: string;

  const adopt = (...words: string[]) =>
    hoplineHere(['adopt', ...words], {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl },
    });

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    directory = await mkdtemp(join(tmpdir(), 'hopline-adopt-'));
    connection = await connect(managed.node.url);
    const channel = await connection.createChannel();
    await channel.assertExchange('erp', 'topic');
    await channel.assertExchange('by-tenant', 'headers', { alternateExchange: 'erp' });
    await channel.assertQueue('ledger', {
      arguments: { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': 'by-tenant' },
    });
    await channel.assertQueue('it\'s */ "quoted" \\');
    await channel.assertQueue('mine', { exclusive: true });
    await channel.assertQueue('log', { arguments: { 'x-queue-type': 'stream' } });
    await channel.bindQueue('ledger', 'erp', 'order.*');
    await channel.bindQueue('it\'s */ "quoted" \\', 'by-tenant', '', { 'x-match': 'all', tenant: 'acme' });
    await channel.consume('ledger', () => {});
    await managed.node.ctl('set_policy', 'ttl', '^led', '{"message-ttl":60000}', '--apply-to', 'queues');
  });

  after(async () => {
    await connection?.close();
    if (directory) await rm(directory, { recursive: true });
  });

  it('writes what it has found, with what the queues are and who uses them, and says what it has left out', async () => {
    const { stdout, stderr } = await eventually(
      async () => {
        const ended = await adopt();
        assert.equal(ended.code, 0, ended.stderr);
        // Statistics come some seconds later.
        assert.match(ended.stdout, /1 consumer$.*by policy/ms);
        return ended;
      },
      { timeout: 20_000 },
    );
    assert.ok(
      stdout.includes(`
// queue "ledger": quorum, 0 messages there, 1 consumer
//   arguments: x-dead-letter-exchange = "by-tenant"
//   by policy "ttl": message-ttl = 60000
//   what the broker itself gives up goes to exchange "by-tenant"
//   its other consumers share the messages with this one
//   bound to exchange "erp" (topic) by key "order.*"
bus.handle(
  'order.*',
`),
      stdout,
    );
    assert.match(stdout, /by key "", .*x-match = "all"/);
    assert.ok(stdout.includes(`queue: { name: 'it\\'s */ "quoted" \\\\', declare: false }`), stdout);
    assert.match(stderr, /^left out: 1 queue \("mine"\): it is exclusive/m);
    assert.match(stderr, /^left out: 1 queue \("log"\): it is a stream/m);
  });

  it('writes a file once', async () => {
    const out = join(directory, 'adopted.ts');
    const { code, stdout, stderr } = await adopt('--queue', 'led*', '--service', 'ledgers', '--out', out);
    assert.deepEqual([code, stdout, stderr], [0, '', `${out}: 1 queue, 1 exchange\n`]);
    const text = await readFile(out, 'utf8');
    assert.match(text, /service: 'ledgers'/);
    assert.match(
      text,
      /export const erpExchange = \{ name: 'erp', type: 'topic', declare: false \} as const;/,
    );
    const again = await adopt('--out', out);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /can't write --out: EEXIST/);
    assert.equal(await readFile(out, 'utf8'), text);
  });

  it('says as JSON what it has found', async () => {
    const { stdout } = await adopt('--exchange', 'by-*', '--json');
    const { exchanges, queues, leftOut } = JSON.parse(stdout);
    assert.deepEqual(
      exchanges.map(({ name }: { name: string }) => name),
      ['by-tenant'],
    );
    assert.deepEqual(
      queues.map((each: { patterns: unknown }) => each.patterns),
      [['#']],
    );
    assert.deepEqual(leftOut, []);
  });

  it('asks what is meant by a name that nothing has', async () => {
    const { code, stderr } = await adopt('--queue', 'ledgers');
    assert.equal(code, 2);
    assert.match(stderr, /the vhost has nothing that is called 'ledgers'/);
  });
});
