import assert from 'node:assert/strict';
import type { BusHealth } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Program } from './program.js';
import { removeFromBroker } from './remove-from-broker.js';

describe('the example of a health probe', () => {
  let program: Program | undefined;
  afterEach(async () => {
    program?.signal('SIGKILL');
    await program?.ended;
  });

  /** Runs it on a free port. */
  async function start(amqpUrl?: string): Promise<(path: string) => Promise<Response>> {
    const started = new Program('health-probe/main.js', {
      env: { PROBE_PORT: '0' },
      ...(amqpUrl === undefined ? {} : { amqpUrl }),
    });
    program = started;
    const url = await eventually(() => /^probe: (\S+)\/readyz$/m.exec(started.stdout)?.[1] ?? false);
    return (path) => fetch(`${url}${path}`);
  }

  it('answers 200 on both paths, with the health as JSON, and ends in order by SIGTERM', async () => {
    const get = await start();
    await eventually(async () => assert.equal((await get('/readyz')).status, 200));
    const live = await get('/livez');
    assert.deepEqual([live.status, live.headers.get('content-type')], [200, 'application/json']);
    const { service, state, reasons, consumers } = (await live.json()) as BusHealth;
    assert.deepEqual([service, state, reasons], ['greeter', 'started', []]);
    assert.deepEqual(
      consumers.map(({ queue, state: its }) => [queue, its]),
      [['greeter', 'consuming']],
    );
    assert.equal((await get('/else')).status, 404);
    program?.signal('SIGTERM');
    assert.equal(await program?.ended, 0);
  });

  describe('on RabbitMQ', () => {
    let url: string;
    before(async function () {
      this.timeout(PROVIDE_TIMEOUT_MS);
      ({ url } = await sharedBroker());
    });
    after(() => removeFromBroker(url, { queues: ['greeter'] }));

    it('is alive and not ready while the broker is away, with the reason, and ready when it is there', async () => {
      const { hostname, port, href } = new URL(url);
      const proxy = await TcpProxy.start({ host: hostname, port: Number(port || 5672) });
      const throughProxy = new URL(href);
      throughProxy.host = `127.0.0.1:${proxy.port}`;
      proxy.stall('both');
      const get = await start(throughProxy.href);
      const both = async () => [(await get('/livez')).status, (await get('/readyz')).status];
      await eventually(async () => assert.deepEqual(await both(), [200, 503]));
      const waiting = (await (await get('/readyz')).json()) as BusHealth;
      assert.equal(waiting.reasons[0], 'the bus is starting');
      proxy.resume();
      await eventually(async () => assert.deepEqual(await both(), [200, 200]));
      await proxy.close();
      await eventually(async () => assert.deepEqual(await both(), [200, 503]));
      const { reasons } = (await (await get('/readyz')).json()) as BusHealth;
      assert.match(reasons.join('\n'), /^the publishing connection to 127\.0\.0\.1:\d+ has been down since/);
    }).timeout(60_000);
  });
});
