import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ScalingFigure } from '../../src/worker/scaling-figure.js';
import { eventually } from '../support/eventually.js';
import type { Command } from './command.js';
import { logged, untilLogged, useWorkService, type WorkService } from './work-service.js';

describe('hopline work --scaling-port', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  beforeEach(() => {
    service = theService();
  });

  /** Of one queue alone: five slots. */
  const work = (...args: readonly string[]) =>
    service.work(['--scaling-port', '0', '--queues', `${service.name}.work`, ...args]);

  async function urlOf(command: Command): Promise<string> {
    const [entry] = await untilLogged(command, /^what waits is told at/);
    return String(entry?.url);
  }

  const figureAt = (url: string, condition: (figure: ScalingFigure) => boolean) =>
    eventually(
      async () => {
        const response = await fetch(url);
        const text = await response.text();
        assert.equal(response.status, 200, text);
        const figure = JSON.parse(text) as ScalingFigure;
        assert.ok(condition(figure), text);
        return figure;
      },
      { timeout: 20_000 },
    );

  async function endInOrder(command: Command): Promise<void> {
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0, command.stdout);
  }

  it('tells what waits before an attempt has ended, with one second for each', async () => {
    await service.send(20, { holds: 'until cancelled' });
    const command = work();
    const figure = await figureAt(await urlOf(command), ({ backlog }) => backlog === 15);
    const all = { backlog: 15, averageMs: null, slots: 5, workSeconds: 3 };
    assert.deepEqual(figure, {
      service: service.name,
      ...all,
      processes: 1,
      slotGroups: [{ queues: [`${service.name}.work`], ...all }],
    });
    command.child.kill('SIGTERM');
    await untilLogged(command, /^stopping/);
    command.child.kill('SIGTERM');
    await command.ended;
  });

  for (const [processes, range] of [
    [2, '2'],
    [2, '2..3'],
  ] as const)
    it(`tells how long one process would take, with --processes ${range}`, async () => {
      await service.send(400, { ms: 100 });
      const command = work('--processes', range, '--cool-down', '1h');
      await untilLogged(command, /^did/, 20);
      const figure = await figureAt(await urlOf(command), ({ averageMs }) => averageMs !== null);
      const { backlog, averageMs, slots } = figure;
      assert.ok(
        averageMs !== null && averageMs >= 95 && backlog > 0 && backlog < 400,
        JSON.stringify(figure),
      );
      assert.equal(figure.processes, processes);
      assert.equal(slots, 5);
      assert.ok(Math.abs(figure.workSeconds - (backlog * averageMs) / 5 / 1_000) < 1e-9);
      await figureAt(await urlOf(command), ({ backlog, workSeconds }) => backlog === 0 && workSeconds === 0);
      await endInOrder(command);
    });

  it('says that nothing is known while no worker runs', async () => {
    const command = service.work(['--scaling-port', '0'], { env: { JOBS_FAULT: 'soon' } });
    const url = await urlOf(command);
    await untilLogged(command, /it is started again in/);
    const response = await fetch(url);
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { error: 'no worker has reported its load lately' });
    await endInOrder(command);
  });

  it('answers nothing else: 404 for another path, 405 for another method', async () => {
    const command = work();
    const url = await urlOf(command);
    await figureAt(url, () => true);
    assert.equal((await fetch(`${url}?from=keda`)).status, 200);
    for (const path of ['/', '/scaling/', '/metrics'])
      assert.equal((await fetch(new URL(path, url))).status, 404, path);
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD']) {
      const response = await fetch(url, { method });
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get('allow'), 'GET');
    }
    await endInOrder(command);
  });

  it('closes its port when it begins to stop', async () => {
    await service.send(1, { holds: 'until cancelled' });
    const command = work();
    const url = await urlOf(command);
    await untilLogged(command, /^began/);
    command.child.kill('SIGTERM');
    await eventually(() => assert.rejects(fetch(url)));
    assert.equal(command.child.exitCode, null, 'its handler still runs');
    command.child.kill('SIGTERM');
    await command.ended;
  });

  it('starts nothing if the port is taken, and says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await service.work(['--scaling-port', `${port}`]).ended;
    other.close();
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `error: --scaling-port can't be 127.0.0.1:${port}: another process listens there. Give another one, or end what has it\n`,
    );
    assert.equal(stdout, '');
  });

  it('refuses what is no port, and a host that is not here', async () => {
    const wrong = ['', '65536', 'localhost', ':9464', '::1:9464', '9464:127.0.0.1', '-1'];
    const ended = await Promise.all(wrong.map((given) => service.work([`--scaling-port=${given}`]).ended));
    for (const [place, { code, stderr }] of ended.entries()) {
      assert.equal(code, 2, wrong[place]);
      assert.match(stderr, /--scaling-port is no port, and no address: /);
    }
    // Of the block that documents use (RFC 5737).
    const away = await service.work(['--scaling-port', '192.0.2.1:9464']).ended;
    assert.equal(away.code, 2);
    assert.match(away.stderr, /--scaling-port can't be 192\.0\.2\.1:9464: .*EADDRNOTAVAIL/);
  });

  it('listens on the interface that is named, and else on loopback alone', async () => {
    for (const [given, url] of [
      ['0', /^http:\/\/127\.0\.0\.1:\d+\/scaling$/],
      ['0.0.0.0:0', /^http:\/\/0\.0\.0\.0:\d+\/scaling$/],
    ] as const) {
      const command = service.work(['--scaling-port', given]);
      assert.match(await urlOf(command), url);
      await endInOrder(command);
      assert.equal(logged(command, /^what waits/).length, 1);
    }
  });
});
