import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { Bus, rabbitmq } from '../../src/index.js';
import { root, run as runFile } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Program, run } from './program.js';
import { removeFromBroker } from './remove-from-broker.js';

describe('the examples of frameworks', () => {
  let url: string;
  let program: Program | undefined;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    ({ url } = await sharedBroker());
  });

  afterEach(async () => {
    program?.signal('SIGKILL');
    await program?.ended;
    program = undefined;
  });

  async function started(name: string): Promise<string> {
    const server = new Program(`frameworks/${name}.js`, { amqpUrl: url, env: { PORT: '0' } });
    program = server;
    const port = await eventually(() => /^listening on (\d+)$/m.exec(server.stdout)?.[1] ?? false);
    return `http://127.0.0.1:${port}`;
  }

  for (const name of ['express', 'fastify'])
    describe(`with ${name}`, () => {
      const queue = `mailer-${randomUUID().slice(0, 8)}`;
      const handled: unknown[] = [];
      let mailer: Bus;

      before(async () => {
        mailer = new Bus({ service: 'mailer', transport: rabbitmq({ url }) });
        mailer.handle('order.placed', ({ number }) => void handled.push(number), { queue });
        await mailer.start();
      });
      after(async () => {
        await mailer.stop();
        await removeFromBroker(url, { queues: [queue] });
      });

      it('publish what a request asks for, which another service handles, and say that they are ready', async () => {
        const server = await started(name);
        const response = await fetch(`${server}/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"number":"A7"}',
        });
        assert.equal(response.status, 202);
        assert.match(((await response.json()) as { messageId: string }).messageId, /^[\w-]{36}$/);
        await eventually(() => assert.ok(handled.includes('A7')));
        const ready = await fetch(`${server}/readyz`);
        assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, reasons: [] }]);
      });

      it('publish for the request that is under way at SIGTERM, answer it, and end by themselves', async () => {
        const server = await started(name);
        const body = '{"number":"A8"}';
        const headers = {
          'content-type': 'application/json',
          'content-length': body.length,
          expect: '100-continue',
        };
        const asking = request(`${server}/orders`, { method: 'POST', agent: false, headers });
        const answer = once(asking, 'response') as Promise<[IncomingMessage]>;
        asking.flushHeaders();
        await once(asking, 'continue');
        program?.signal('SIGTERM');
        // It takes no new connection from then on.
        await eventually(() => fetch(`${server}/readyz`).then(refused, () => true));
        asking.end(body);
        const [response] = await answer;
        assert.equal(response.statusCode, 202);
        assert.ok(((await json(response)) as { messageId: string }).messageId);
        assert.equal(await program?.ended, 0, program?.output);
        await eventually(() => assert.ok(handled.includes('A8')));
      });
    });

  it('build handlers out of an awilix container, with a scope for each message that is disposed', async () => {
    after(() => removeFromBroker(url, { queues: ['orders.place'] }));
    const { code, stdout, stderr } = await run('frameworks/awilix.js', { amqpUrl: url });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'A7 placed in Session attempt 1',
      'A8 placed in Session attempt 1',
      'session closed',
      'session closed',
    ]);
  });

  it('warn of a bus that a reload makes beside the one that runs, while one develops', async () => {
    const warning = /another bus of this service runs in this process.*"running":2/;
    assert.match(await logOfTwo({ NODE_ENV: 'development' }), warning);
    assert.doesNotMatch(await logOfTwo({ NODE_ENV: 'production' }), warning);
    assert.doesNotMatch(await logOfTwo({ NODE_ENV: 'development' }, 'await buses.pop().stop();'), warning);
  });

  /** What two buses of a service write that are started one after the other. @param between run before the second */
  async function logOfTwo(env: Record<string, string>, between = ''): Promise<string> {
    const source = `
      import { Bus, rabbitmq } from 'hopline';
      const buses = [];
      const make = async () => {
        const bus = new Bus({ service: 'shop', transport: rabbitmq({ url: process.env.AMQP_URL }) });
        buses.push(bus);
        await bus.start();
      };
      await make();
      ${between}
      await make();
      for (const bus of buses) await bus.stop();
    `;
    const { stderr } = await runFile(process.execPath, ['--input-type=module', '--eval', source], {
      cwd: root,
      env: { ...process.env, ...env, AMQP_URL: url },
    });
    return stderr;
  }
});

/** An answer: the server still listens. */
const refused = async (response: Response): Promise<boolean> => {
  await response.text();
  return false;
};
