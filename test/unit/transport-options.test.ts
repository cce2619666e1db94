import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { OptionsError } from '../../src/errors.js';
import { memory, type RabbitmqOptions, rabbitmq } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { rabbitmqSettings } from '../../src/transport/amqp/options.js';
import { CANARY, problemsOf } from './option-problems.js';

describe("rabbitmq()'s options", () => {
  const problems = (options: unknown) => problemsOf(() => rabbitmq(options as RabbitmqOptions));

  it('are a URL, a list of them, or a function that brings them', async () => {
    for (const url of [
      'amqp://localhost',
      'amqps://u:p@host:5671/v',
      ['amqp://u:p@a', 'amqp://u:p@b'],
      () => 'amqp://u:p@host',
      async () => 'x',
    ]) {
      assert.deepEqual(problems({ url }), []);
    }
    const { findAddresses, heartbeatSeconds, connectDeadlineMs } = rabbitmqSettings({
      url: () => ['amqp://u:p@a', 'amqps://u:p@b/v'],
    });
    const addresses = await findAddresses();
    assert.deepEqual(
      addresses.map(({ name, url }) => [name, url]),
      [
        ['a:5672', 'amqp://a'],
        ['b:5671', 'amqps://b/v'],
      ],
    );
    assert.equal(heartbeatSeconds, 10);
    assert.equal(connectDeadlineMs, 10_000);
  });

  it('say where the broker is, without who comes', () => {
    assert.equal(rabbitmq({ url: ['amqp://u:p@a', 'amqps://u:p@b/v'] }).address, 'a:5672, b:5671');
    assert.equal(rabbitmq({ url: () => 'amqp://u:p@a' }).address, undefined);
  });

  it('ask whether the environment variable is set when the URL is undefined', () => {
    const asked = ['url is undefined: is its environment variable set?'];
    assert.deepEqual(problems({ url: process.env.NO_SUCH_VARIABLE }), asked);
    assert.deepEqual(problems({}), asked);
  });

  it('are refused with all problems at once', () => {
    assert.deepEqual(
      problems({ url: ['amqp://u:p@a', '', 5], hearbeat: '5s', heartbeat: '500ms', connectDeadline: 0 }),
      [
        'unknown option hearbeat, did you mean heartbeat?',
        `expected heartbeat to be a duration from '1s' to '18h', got "500ms"`,
        "expected connectDeadline to be a duration longer than 0 and of at most 400 days, such as '10s', got 0",
        'expected url[1] to be amqp://… or amqps://…, got an empty string',
        'expected url[2] to be amqp://… or amqps://…, got a number',
      ],
    );
    assert.deepEqual(problems({ url: [] }), ['expected url to be at least one address, got an empty list']);
    for (const options of [undefined, null, 'amqp://host', ['amqp://host']]) {
      assert.deepEqual(problems(options), ['expected the options to be an object such as { url }']);
    }
  });

  /** Every wrong form that a URL with a password may have. */
  const badUrls: unknown[] = [
    `http://user:${CANARY}@host`,
    `user:${CANARY}@host`,
    `amqp:user:${CANARY}@host`,
    `amqp//user:${CANARY}@host`,
    `amqp://user:${CANARY}@`,
    `amqp://user:${CANARY}@host:notaport`,
    `amqp://user:${CANARY}@host:99999`,
    `amqp://user:${CANARY}#[@host`,
    `amqp://user:1@${CANARY}/2@host`,
    `amqp://user:1?${CANARY}@host`,
    `amqp://user:1#${CANARY}@host`,
    `amqp://user:${CANARY}%zz@[host`,
    `amqp://user:${CANARY}@ho st`,
    `://user:${CANARY}@host`,
    `${CANARY}`,
    [`amqp://a`, `https://user:${CANARY}@host`],
    [[`amqp://user:${CANARY}@host`]],
    { url: `amqp://user:${CANARY}@host` },
    new URL(`amqp://user:${CANARY}@host`),
    Buffer.from(`amqp://user:${CANARY}@host`),
    Symbol(CANARY),
    null,
  ];

  it('never show a password, in whatever form the URL is wrong', () => {
    for (const [index, url] of badUrls.entries()) {
      assert.throws(
        () => rabbitmq({ url } as never),
        (error) => {
          assert.ok(error instanceof OptionsError, `#${index} ${error}`);
          assert.doesNotMatch(everything(error), new RegExp(CANARY), `#${index}`);
          return true;
        },
        `#${index}`,
      );
    }
    for (const options of [
      `amqp://user:${CANARY}@host`,
      { urls: `amqp://user:${CANARY}@host` },
      { url: 'amqp://host', password: CANARY, credentials: { password: CANARY } },
      { url: 'amqp://host', heartbeat: { password: CANARY } },
    ]) {
      assert.throws(
        () => rabbitmq(options as never),
        (error) => error instanceof OptionsError && !everything(error).includes(CANARY),
      );
    }
  });

  it('never show a password either when the function brings a wrong URL', async () => {
    for (const [index, url] of badUrls.entries()) {
      await assert.rejects(
        rabbitmqSettings({ url: () => url as string }).findAddresses(),
        (error) => {
          assert.ok(error instanceof OptionsError, `#${index} ${error}`);
          assert.match(error.message, /^rabbitmq: the url function/);
          assert.doesNotMatch(everything(error), new RegExp(CANARY), `#${index}`);
          return true;
        },
        `#${index}`,
      );
    }
  });
});

describe("memory()'s options", () => {
  it('are a clock, or nothing', () => {
    assert.equal(memory().kind, 'memory');
    const clock = new ManualClock();
    assert.equal(memory({ clock }).clock, clock);
  });

  it('are refused with the problem', () => {
    const problems = (options: unknown) => problemsOf(() => memory(options as never));
    assert.deepEqual(problems({ clok: 1, clock: Date }), [
      'unknown option clok, did you mean clock?',
      'expected clock to be a clock (an object with now, monotonic, setTimer), got function Date',
    ]);
    assert.deepEqual(problems(null), ['expected the options to be an object, got null']);
  });
});

/**
 * Which files of the clients a process has loaded, step by step. Run in a child: in this process they may be loaded
 * by other tests. amqplib is CommonJS, which Node keeps a list of; whoever loads it as an ES module runs it from there.
 */
const PROBE = `
  import { createRequire } from 'node:module';
  const { cache } = createRequire(import.meta.url);
  const loaded = () => Object.keys(cache).filter((file) => /node_modules.amqplib\\W/.test(file)).length;
  const counts = {};
  const { Bus, memory, rabbitmq } = await import(process.argv[1]);
  counts.imported = loaded();
  await import(process.argv[2]);
  counts.decorated = loaded();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const amqp = new Bus({ service: 'a', transport: rabbitmq({ url: 'amqp://127.0.0.1:1' }), startDeadline: 50, log });
  const inMemory = new Bus({ service: 'b', transport: memory(), log });
  counts.constructed = loaded();
  await inMemory.start();
  await inMemory.publish('a.key', {});
  await inMemory.stop();
  counts.memoryUsed = loaded();
  await amqp.start().catch(() => {});
  counts.amqpStarted = loaded();
  process.stdout.write(JSON.stringify(counts));
`;

describe('a transport', () => {
  it('only describes: no client is loaded before a bus on RabbitMQ starts', async function () {
    this.timeout(60_000);
    const entry = (path: string) => pathToFileURL(join(import.meta.dirname, '../..', path)).href;
    const [main, decorators] = [entry('src/index.js'), entry('decorators/index.js')];
    assert.ok(existsSync(new URL(main)));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', PROBE, main, decorators],
      {
        // Where node_modules is found from; the entry's own directory has it above.
        cwd: import.meta.dirname,
      },
    );
    const { amqpStarted, ...before } = JSON.parse(stdout) as Record<string, number>;
    assert.deepEqual(before, { imported: 0, decorated: 0, constructed: 0, memoryUsed: 0 });
    assert.ok((amqpStarted ?? 0) > 5, 'the probe would not have seen the client');
  });
});

/** All that an error might be logged with. */
function everything(error: Error): string {
  return [
    error.message,
    error.stack,
    String(error.cause),
    JSON.stringify(error),
    (error as { help?: string }).help,
  ].join('\n');
}
