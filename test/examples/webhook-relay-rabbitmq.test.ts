import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Program, run } from './program.js';
import { removeFromBroker } from './remove-from-broker.js';

const RELAY = 'webhook-relay/main.js';
const QUEUES = ['audit', 'notifier', 'delivery.healthy', 'delivery.flaky', 'delivery.refusing'];
const BALANCED =
  /^329 published × matching queues = 1,359 = 1,030 handled \+ 329 dead-lettered; nothing unexplained/m;

/** The processes that the program has said it started. */
const processesOf = (stderr: string): number[] =>
  [...stderr.matchAll(/^relay\.\w+ runs as process (\d+)$/gm)].map(([, pid]) => Number(pid));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the webhook relay on RabbitMQ', function () {
  this.timeout(90_000);
  let amqpUrl: string;
  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    amqpUrl = (await sharedBroker()).url;
  });
  after(() =>
    removeFromBroker(amqpUrl, {
      queues: QUEUES.map((queue) => `relay.${queue}`),
      prefix: 'relay',
    }),
  );

  /** A run that waits for events on its open standard input, with its services in processes of their own. */
  async function waitingRun(): Promise<{ program: Program; pids: number[] }> {
    const program = new Program(RELAY, { args: ['--processes', '-'], amqpUrl, input: 'open' });
    const pids = await eventually(() => {
      const found = processesOf(program.stderr);
      return found.length === 3 && found;
    });
    return { program, pids };
  }

  it('accounts for every message in one process', async () => {
    const { code, stdout, stderr } = await run(RELAY, { amqpUrl });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, BALANCED);
  });

  it('accounts for every message of services in processes of their own, and leaves none of them behind', async () => {
    const { code, stdout, stderr } = await run(RELAY, { args: ['--processes'], amqpUrl });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, BALANCED);
    assert.equal(processesOf(stderr).length, 3);
    assert.deepEqual(processesOf(stderr).filter(isAlive), []);
  });

  it('handles what an earlier run has left in the queues, and keeps it out of the account', async () => {
    const connection = await connect(amqpUrl);
    const channel = await connection.createConfirmChannel();
    channel.publish('relay.events', 'github.ping', Buffer.from('{}'), { messageId: 'left behind' });
    await channel.waitForConfirms();
    await connection.close();

    const input = JSON.stringify({ key: 'github.ping', payload: {} });
    const { code, stdout, stderr } = await run(RELAY, { args: ['-'], input, amqpUrl });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^from an earlier run: [1-9]/m);
    assert.match(
      stdout,
      /^1 published × matching queues = 4 = 3 handled \+ 1 dead-lettered; nothing unexplained/m,
    );
  });

  it('says so when a service crashes, ends the others, and fails', async () => {
    const { program, pids } = await waitingRun();
    process.kill(pids[2] as number, 'SIGKILL');
    assert.equal(await program.ended, 1, program.output);
    assert.match(
      program.stderr,
      new RegExp(`^error: service relay\\.delivery \\(process ${pids[2]}\\) ended: SIGKILL$`, 'm'),
    );
    assert.deepEqual(pids.filter(isAlive), []);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with its services on ${signal}`, async () => {
      const { program, pids } = await waitingRun();
      program.signal(signal);
      assert.equal(await program.ended, code, program.output);
      assert.match(program.stderr, new RegExp(`^error: interrupted by ${signal}$`, 'm'));
      assert.deepEqual(pids.filter(isAlive), []);
    });
  }

  it('takes its services along when it is killed', async () => {
    const { program, pids } = await waitingRun();
    program.signal('SIGKILL');
    assert.equal(await program.ended, 'SIGKILL');
    await eventually(() => pids.every((pid) => !isAlive(pid)), { timeout: 20_000 });
  });

  it('fails with a sentence when there is no broker', async () => {
    const { code, stdout, stderr } = await run(RELAY, {
      amqpUrl: 'amqp://127.0.0.1:1',
      args: ['--deadline', '2'],
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: .+$/m);
    assert.doesNotMatch(stderr, /^ +at /m);
  });
});
