import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { type Headers, rabbitmq } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import { silentLogger } from '../../src/util/logger.js';
import { hopline } from '../cli/command.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

const EVIL = '{"polluted":"yes","toString":"yes"}';

/** Each way that a parsed object has led to a prototype somewhere. */
const BODY = `{"__proto__":${EVIL},"constructor":{"prototype":${EVIL}},"prototype":${EVIL},"deep":[{"__proto__":${EVIL}}],"id":1}`;

/** With own properties of these names, as no object literal has them. */
const evilHeaders = (): Headers =>
  JSON.parse(
    `{"__proto__":${EVIL},"constructor":{"prototype":${EVIL}},"deep":{"__proto__":${EVIL},"own":1},"kept":"yes"}`,
  );

const PROTOTYPES = [
  Object,
  Array,
  Function,
  String,
  Number,
  Boolean,
  Date,
  Error,
  Map,
  Set,
  Promise,
  Buffer,
  RegExp,
];

/** Everything that a prototype of the language holds. */
const snapshot = () =>
  inspect(
    PROTOTYPES.map(({ prototype }) => Object.getOwnPropertyDescriptors(prototype)),
    { depth: 3, showHidden: true, maxArrayLength: null },
  );

/** Loaded before the command: says at its end whether a prototype has changed, and then ends with 99. */
const WATCHER = `
  import { writeSync } from 'node:fs';
  const state = () => JSON.stringify([Object, Array, Function, Error].map(({ prototype }) => Reflect.ownKeys(prototype).map(String)));
  const before = state();
  process.on('exit', () => {
    if (state() === before && {}.polluted === undefined) return;
    writeSync(2, 'a prototype was changed');
    process.exitCode = 99;
  });
`;

describe('a message with __proto__ and constructor.prototype in body and headers', function () {
  this.timeout(90_000);
  const prefix = uniqueName('prefix');
  const queue = uniqueName('queue');
  let pristine: string;
  let node: PrivateNode;
  let directory: string;
  let watcher: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    directory = await mkdtemp(join(tmpdir(), 'hopline-pollution-'));
    watcher = join(directory, 'watcher.mjs');
    await writeFile(watcher, WATCHER);
    pristine = snapshot();
  });

  afterEach(stopAll);
  after(() => rm(directory, { recursive: true }));

  /** Nothing has changed for anybody. */
  function assertPristine(): void {
    assert.equal(snapshot(), pristine);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  }

  /** The value itself inherits nothing that its sender chose. */
  function assertPlain(value: unknown): void {
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return;
    const prototype = Object.getPrototypeOf(value);
    assert.ok(
      [null, Object.prototype, Array.prototype, Date.prototype].includes(prototype),
      inspect(prototype),
    );
    for (const name of Object.keys(value)) assertPlain(Object.getOwnPropertyDescriptor(value, name)?.value);
  }

  /** Publishes both ways to a handler that fails, and waits for both dead letters. */
  async function bothDead(): Promise<void> {
    const { bus, seen, log } = faultBus(node.url, { prefix });
    const attempts: number[] = [];
    bus.handle(
      'k',
      (payload, { headers, attempt }) => {
        attempts.push(attempt);
        for (const value of [payload, headers]) assertPlain(value);
        assert.equal(headers.kept, 'yes');
        assert.equal((payload as { id: number }).id, 1);
        assertPristine();
        throw Object.assign(new Error('again'), JSON.parse(BODY));
      },
      { queue, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    await raw(node, async (channel) => {
      channel.publish(`${prefix}.events`, 'k', Buffer.from(BODY), {
        headers: evilHeaders(),
        messageId: 'raw',
      });
      await channel.waitForConfirms();
    });
    await bus.publish('k', JSON.parse(BODY), { headers: evilHeaders(), messageId: 'published' });
    await eventually(() => assert.equal(seen('message.deadLettered').length, 2));
    assert.deepEqual(
      seen('message.deadLettered').map(({ reason, error }) => [reason, (error as Error).message]),
      [
        ['exhausted', 'again'],
        ['exhausted', 'again'],
      ],
      log.join('\n'),
    );
    assert.deepEqual([...attempts].sort(), [1, 1, 2, 2]);
    await bus.stop();
  }

  it('changes no prototype on its way through retries, dead letters and tools [row 35]', async () => {
    await bothDead();
    assertPristine();
    const failures = await openFailures({
      transport: rabbitmq({ url: node.url }),
      queues: [queue],
      prefix,
      log: silentLogger,
    });
    try {
      for (const id of ['raw', 'published']) {
        const [letter] = await failures.get(id);
        assert.ok(letter);
        assert.equal(letter.body.toString(), BODY, 'byte for byte as it was published');
        assertPlain(letter.headers);
        assertPlain(letter.properties);
      }
    } finally {
      await failures.close();
    }
    assertPristine();
    await withCommand();
    assertPristine();
  });

  /** The same by the command, each in a process that watches its own prototypes. */
  async function withCommand(): Promise<void> {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await hopline([...args, '--queue', queue, '--prefix', prefix], {
        url: node.url,
        env: { NODE_OPTIONS: `--import=${pathToFileURL(watcher)}` },
      });
      return { code, stdout, stderr };
    };
    for (const args of [['list'], ['list', '--json'], ['show', 'raw'], ['show', 'published']]) {
      const { code, stderr } = await run('failed', ...args);
      assert.equal(code, 0, `${args} ${stderr}`);
    }
    const file = join(directory, 'dead.ndjson');
    const exported = await run('failed', 'export', '--out', file);
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal((await run('failed', 'flush', '--yes')).code, 0);
    // As nobody's export would be: a line whose own fields have the names.
    const forged = JSON.stringify({
      v: 1,
      queue,
      exchange: `${prefix}.events`,
      routingKey: 'k',
      reason: 'exhausted',
      headers: 'HEADERS',
      properties: {},
      body: '',
    });
    const line = forged
      .replace('"HEADERS"', `{"__proto__":${EVIL},"deep":{"$table":{"__proto__":${EVIL}}}}`)
      .replace('"v":1', `"v":1,"__proto__":${EVIL},"constructor":{"prototype":${EVIL}}`);
    await appendFile(
      file,
      `${line}\n${line.replace('"properties":{}', `"properties":{"__proto__":${EVIL}}`)}\n`,
    );
    const imported = await run('failed', 'import', file, '--yes');
    assert.equal(imported.code, 1, imported.stderr);
    assert.match(imported.stdout, /^3 dead letters imported/);
    assert.match(imported.stderr, /unknown property '__proto__'/);
    const replayed = await run('failed', 'retry', 'raw', 'published');
    assert.equal(replayed.code, 0, replayed.stderr);
  }

  it('is what the client library takes for a prototype, if nobody looks', async () => {
    const headers = await raw(node, async (channel) => {
      const { queue: own } = await channel.assertQueue('', { exclusive: true });
      channel.sendToQueue(own, Buffer.from(BODY), { headers: evilHeaders() });
      await channel.waitForConfirms();
      const message = await channel.get(own, { noAck: true });
      assert.ok(message);
      return message.properties.headers as Headers;
    });
    assert.equal(headers.polluted, 'yes');
    assertPristine();
  });

  it('is noticed by the watcher of this test, if it changes one', async () => {
    const env = { NODE_OPTIONS: `--import=${pathToFileURL(watcher)}` };
    const app = join(directory, 'evil.mjs');
    await writeFile(app, 'Object.prototype.polluted = "yes";');
    const { code, stderr } = await hopline(['topology', 'show', '--app', app], { env });
    assert.equal(code, 99, stderr);
  });
});
