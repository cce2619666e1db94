import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { Bus, ExchangeOptions, MessageContext } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { hopline } from './command.js';
import { type ManagedNode, managedNode } from './managed-node.js';
import { OtherClient, type OthersVhost, type Table } from './other-client.js';

const VHOST: OthersVhost = {
  exchanges: {
    erp: ['topic', { 'alternate-exchange': 'erp.lost' }],
    'erp.lost': ['fanout'],
    orders: ['direct'],
    news: ['fanout'],
    'by-region': ['headers'],
    'by-account': ['x-consistent-hash', { 'hash-header': 'account' }],
  },
  queues: {
    ledger: { 'x-queue-type': 'quorum', 'x-delivery-limit': 7, 'x-dead-letter-exchange': 'erp.lost' },
    audit: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true },
    mailer: { 'x-max-length': 1_000, 'x-message-ttl': 600_000, 'x-max-priority': 5 },
    'region.eu': { 'x-max-length-bytes': 1_000_000, 'x-overflow': 'reject-publish' },
    'shard.1': { 'x-queue-type': 'quorum', 'x-max-length': 10_000, 'x-overflow': 'reject-publish' },
    'erp.inbox': { 'x-queue-type': 'quorum' },
    'region.us': {},
    'shard.2': {},
    lost: {},
  },
  bindings: [
    ['erp', 'ledger', 'order.*'],
    ['erp', 'audit', 'order.#'],
    ['erp', 'erp.inbox', '#'],
    ['erp.lost', 'lost', ''],
    ['orders', 'mailer', 'mail.send'],
    ['news', 'audit', ''],
    ['news', 'erp.inbox', ''],
    ['by-region', 'region.eu', '', { 'x-match': 'all', region: 'eu', urgent: true }],
    ['by-region', 'region.us', '', { 'x-match': 'any', region: 'us' }],
    ['by-account', 'shard.1', '1'],
    ['by-account', 'shard.2', '1'],
  ],
};

/** Those that the service consumes; `mailer` is consumed by the other client as well, and the rest by that alone. */
const ADOPTED = ['ledger', 'audit', 'mailer', 'region.eu', 'shard.1'];
const OF_THE_OTHER = ['mailer', 'erp.inbox', 'region.us', 'shard.2', 'lost'];

interface Sent {
  readonly exchange: string;
  readonly key: string;
  readonly headers?: Table;
  /** Who it is meant for: all of these, and of those that stand together one. */
  readonly to: readonly string[];
}

/** What each side publishes, again and again. */
const SENT: readonly Sent[] = [
  { exchange: 'erp', key: 'order.placed', to: ['ledger', 'audit', 'erp.inbox'] },
  { exchange: 'orders', key: 'mail.send', to: ['mailer'] },
  { exchange: 'news', key: 'news.today', to: ['audit', 'erp.inbox'] },
  { exchange: 'by-region', key: 'sale', headers: { region: 'eu', urgent: true }, to: ['region.eu'] },
  { exchange: 'by-region', key: 'sale', headers: { region: 'us', urgent: true }, to: ['region.us'] },
  { exchange: 'by-account', key: 'entry', to: ['shard.1 or shard.2'] },
  { exchange: '', key: 'mailer', to: ['mailer'] },
  { exchange: '', key: 'region.us', to: ['region.us'] },
];

const EACH = 12;

/** What `hopline adopt` has written. */
interface Adopted extends Readonly<Record<string, unknown>> {
  readonly bus: Bus;
}

interface Content {
  readonly id: string;
}

/** A user's handler, in the place of those that are not written yet. */
type Handle = (payload: Content, context: MessageContext) => void;

declare global {
  var handleAdopted: Handle;
}

describe('a vhost that another client has made, once it is adopted', function () {
  this.timeout(120_000);
  let managed: ManagedNode;
  let other: OtherClient;
  let directory: string;
  let app: string;
  let written: Adopted;
  /** All that anybody has handled, as `queue: id`. */
  const arrived: string[] = [];
  const byWhom = { hopline: 0, other: 0 };
  /** Milliseconds at which a message was tried. */
  const tried: number[] = [];
  let isMended = false;
  /** What the other client has made, before anybody else was there. */
  let asMade: unknown;

  const run = (words: readonly string[]) =>
    hopline(words, { url: managed.node.url, env: { MANAGEMENT_URL: managed.managementUrl } });

  async function asked(path: string, method = 'GET', content?: object): Promise<unknown> {
    const { origin, username, password } = new URL(managed.managementUrl);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const body = content === undefined ? null : JSON.stringify(content);
    const answer = await fetch(`${origin}/api/${path}`, { method, headers, body });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return method === 'GET' ? await answer.json() : undefined;
  }

  /** All exchanges, queues and bindings of the vhost, as they were declared, but for those of Hopline. */
  async function madeByOthers() {
    const list = async (what: string, fields: readonly string[]) =>
      ((await asked(`${what}/%2F`)) as Record<string, unknown>[])
        .map((each) => Object.fromEntries(fields.map((field) => [field, each[field] ?? null])))
        .filter((each) => !isOfHopline(each))
        .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
    const how = ['name', 'type', 'durable', 'auto_delete', 'arguments', 'policy'];
    return {
      exchanges: await list('exchanges', [...how, 'internal']),
      queues: await list('queues', [...how, 'exclusive']),
      bindings: await list('bindings', [
        'source',
        'destination',
        'destination_type',
        'routing_key',
        'arguments',
      ]),
    };
  }

  const isOfHopline = ({ name, source, destination }: Record<string, unknown>) =>
    [name, source, destination].some((each) => /^hopline\.|\.(dead|land)$/.test(String(each ?? '')));

  const handle: Handle = ({ id }, context) => {
    const { queue, attempt } = context;
    if (queue === 'ledger' && id === 'flaky') {
      tried.push(performance.now());
      if (attempt === 1) throw new Error('not yet');
    }
    if (queue === 'ledger' && id === 'bad' && !isMended) return context.fail('it is not good');
    byWhom.hopline += Number(queue === 'mailer');
    arrived.push(`${queue}: ${id}`);
  };

  /** The file as a user would have it: the handlers are written, and it is built. */
  async function built(file: string): Promise<string> {
    const found = await readFile(file, 'utf8');
    const own = found
      .replaceAll('throw notWritten(payload, context);', 'globalThis.handleAdopted(payload, context);')
      .replace('new Bus({', 'new Bus({ log: { debug() {}, info() {}, warn() {}, error() {} },');
    assert.equal(own.split('globalThis.handleAdopted').length - 1, ADOPTED.length, found);
    const { outputText } = ts.transpileModule(own, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const to = file.replace(/\.ts$/, '.js');
    await writeFile(to, outputText);
    return to;
  }

  /** A user that has the rights that the command prints, and no others. @returns its url */
  async function userOf(file: string): Promise<string> {
    const exchanges = Object.keys(VHOST.exchanges).flatMap((name) => ['--exchange', name]);
    const words = ['topology', 'permissions', '--app', file, '--for', 'first', '--json', ...exchanges];
    const { code, stdout, stderr } = await run([...words, '--queue', 'mailer', '--queue', 'region.us']);
    assert.equal(code, 0, stderr);
    const [{ user, permissions, topicPermissions }] = JSON.parse(stdout);
    await asked(`users/${user}`, 'PUT', { password: 'of-the-test', tags: '' });
    await asked(`permissions/%2F/${user}`, 'PUT', permissions.first);
    // The broker takes them for exchanges that are there.
    await run(['topology', 'apply', '--app', file, '--yes']);
    for (const each of topicPermissions) await asked(`topic-permissions/%2F/${user}`, 'PUT', each);
    return managed.node.url.replace(/\/\/.*@/, `//${user}:of-the-test@`);
  }

  async function imported(file: string, url: string): Promise<Adopted> {
    const { AMQP_URL: ofTheTests } = process.env;
    process.env.AMQP_URL = url;
    try {
      return (await import(pathToFileURL(file).href)) as Adopted;
    } finally {
      if (ofTheTests === undefined) delete process.env.AMQP_URL;
      else process.env.AMQP_URL = ofTheTests;
    }
  }

  /** The constant that was written for an exchange. */
  function exchangeOf(name: string): ExchangeOptions {
    const found = Object.values(written).find((each) => (each as { name?: unknown }).name === name);
    assert.ok(found, `nothing is written for exchange '${name}'`);
    return found as ExchangeOptions;
  }

  const publishedByOther = (id: string, { exchange, key, headers }: Sent) =>
    other.publish(exchange, key, { id }, { account: id, ...headers });

  async function publishedByAdopted(id: string, { exchange, key, headers }: Sent): Promise<unknown> {
    if (exchange === '') return await written.bus.sendToQueue(key, { id });
    const options = { exchange: exchangeOf(exchange), headers: { account: id, ...headers } };
    return await written.bus.publish(key, { id }, options);
  }

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    globalThis.handleAdopted = handle;
    other = await OtherClient.connect(managed.node.url);
    await other.declare(VHOST);
    asMade = await madeByOthers();
    for (const queue of OF_THE_OTHER)
      await other.consume(queue, (content) => {
        byWhom.other += Number(queue === 'mailer');
        arrived.push(`${queue}: ${(content as Content).id}`);
      });
    directory = await mkdtemp(join(import.meta.dirname, 'adopted-'));
    const out = join(directory, 'app.ts');
    const { code, stderr } = await run([
      ...['adopt', '--service', 'adopted', '--out', out],
      ...ADOPTED.flatMap((queue) => ['--queue', queue]),
    ]);
    assert.deepEqual([code, stderr], [0, `${out}: 5 queues, 5 exchanges\n`]);
    app = await built(out);
    written = await imported(app, await userOf(app));
    await written.bus.start();
  });

  after(async () => {
    await written?.bus.stop();
    await other?.close();
    if (directory) await rm(directory, { recursive: true });
  });

  it('has what both sides publish handled by whom it is meant for, once each', async () => {
    const sides = { other: publishedByOther, adopted: publishedByAdopted };
    const published = SENT.flatMap((sent, place) =>
      Object.entries(sides).flatMap(([side, publish]) =>
        Array.from({ length: EACH }, (_, number) => ({ sent, publish, id: `${side} ${place} ${number}` })),
      ),
    );
    await Promise.all(published.map(({ sent, publish, id }) => publish(id, sent)));
    const meant = published.flatMap(({ sent, id }) => sent.to.map((queue) => `${queue}: ${id}`)).sort();
    await eventually(() => assert.deepEqual(arrived.map(eitherShard).sort(), meant), { timeout: 30_000 });
    assert.ok(byWhom.other > 0 && byWhom.hopline > 0, `of the queue of both: ${JSON.stringify(byWhom)}`);
    const shards = new Set(arrived.flatMap((each) => (each.startsWith('shard') ? each.slice(0, 7) : [])));
    assert.deepEqual([...shards].sort(), ['shard.1', 'shard.2']);
  });

  it('has a message again, later, and only there, whose handler has failed', async () => {
    await publishedByOther('flaky', { exchange: 'erp', key: 'order.placed', to: [] });
    await eventually(() => assert.deepEqual(placesOf('flaky'), ['audit', 'erp.inbox', 'ledger']));
    const [first = 0, second = 0, ...others] = tried;
    assert.deepEqual(others, []);
    // By default a second: the broker's clock may be a little ahead.
    assert.ok(second - first > 900, `after ${second - first} ms`);
  });

  it('has dead letters that the command lists and retries', async () => {
    await publishedByOther('bad', { exchange: 'erp', key: 'order.placed', to: [] });
    const failed = async (...words: string[]) => {
      const { code, stdout, stderr } = await run(['failed', ...words, '--queue', 'ledger']);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const listed = async () => JSON.parse(await failed('list', '--json'));
    const [letter, ...others] = await eventually(async () => {
      const letters = await listed();
      assert.ok(letters.length > 0);
      return letters;
    });
    const { id, queue, exchange, routingKey, reason } = letter;
    assert.deepEqual([queue, exchange, routingKey, reason], ['ledger', 'erp', 'order.placed', 'rejected']);
    assert.deepEqual(others, []);
    isMended = true;
    await failed('retry', id);
    await eventually(() => assert.deepEqual(placesOf('bad'), ['audit', 'erp.inbox', 'ledger']));
    assert.deepEqual(await listed(), []);
  });

  it('is as it was: nothing was declared again, changed, or lost', async () => {
    const { code, stdout } = await run(['topology', 'plan', '--app', app, '--check']);
    assert.equal(code, 0, stdout);
    await written.bus.stop();
    assert.deepEqual(await madeByOthers(), asMade);
    // Nor was it tried: its user may not configure what is not its own.
    assert.doesNotMatch(
      await readFile(join(managed.node.dir, 'log', 'boot-1.log'), 'utf8'),
      /refused for user 'adopted'/,
    );
    assert.deepEqual(
      arrived.filter((each, place) => arrived.indexOf(each) < place),
      [],
    );
    assert.deepEqual(
      arrived.filter((each) => each.startsWith('lost')),
      [],
    );
    for (const queue of Object.keys(VHOST.queues))
      assert.equal(await other.waiting(queue), 0, `left in '${queue}'`);
  });

  const placesOf = (id: string): string[] =>
    arrived.flatMap((each) => (each.endsWith(`: ${id}`) ? each.slice(0, -id.length - 2) : [])).sort();

  const eitherShard = (each: string): string => each.replace(/^shard\.\d/, 'shard.1 or shard.2');
});
