import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { root } from '../project/repository.js';
import { eventually } from '../support/eventually.js';
import { Command } from './command.js';
import { READY, untilLogged, useWorkService, type WorkService } from './work-service.js';

describe('hopline work --metrics-port', function () {
  this.timeout(90_000);
  const theService = useWorkService();
  let service: WorkService;
  beforeEach(() => {
    service = theService();
  });

  async function urlOf(command: Command): Promise<string> {
    const [entry] = await untilLogged(command, /^metrics are told at/);
    return String(entry?.url);
  }

  async function pageAt(url: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(url, { headers });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text;
  }

  /** Sum of the series of a page whose labels have these texts in them. */
  function sumIn(page: string, name: string, ...labels: readonly string[]): number {
    const lines = page.split('\n').filter((line) => new RegExp(`^hopline_${name}(\\{| )`).test(line));
    return lines
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  const handledIn = (page: string) => sumIn(page, 'messages_handled_total', 'outcome="succeeded"');

  const untilHandled = (url: string, count: number) =>
    eventually(
      async () => {
        const page = await pageAt(url);
        assert.equal(handledIn(page), count, page);
        return page;
      },
      { timeout: 30_000 },
    );

  async function endInOrder(command: Command): Promise<void> {
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0, command.stdout);
  }

  it('serves one page for all processes, whose counters are added up and whose queues are not', async () => {
    const command = service.work(['--metrics-port', '0', '--processes', '2']);
    await untilLogged(command, READY, 2);
    const url = await urlOf(command);
    await service.send(40, { ms: 20 });
    const page = await untilHandled(url, 40);
    assert.equal(sumIn(page, 'work_processes'), 2);
    assert.equal(sumIn(page, 'work_unanswered_total'), 0);
    const ofWork = [`service="${service.name}"`, `queue="${service.name}.work"`];
    assert.equal(sumIn(page, 'slots', ...ofWork), 10);
    assert.equal(sumIn(page, 'consumers', ...ofWork), 2);
    assert.equal(sumIn(page, 'queue_consumers', ...ofWork), 2);
    assert.equal(sumIn(page, 'queue_messages', ...ofWork), 0);
    assert.equal(sumIn(page, 'handler_duration_seconds_bucket', ...ofWork, 'le="+Inf"'), 40);
    assert.equal(sumIn(page, 'ready'), 1);
    await endInOrder(command);
  });

  it('loses nothing of what processes counted that are replaced', async () => {
    const command = service.work(['--metrics-port', '0']);
    await untilLogged(command, READY);
    const url = await urlOf(command);
    await service.send(10);
    await untilHandled(url, 10);
    command.child.kill('SIGHUP');
    await untilLogged(command, READY, 2);
    await untilLogged(command, /^worker 1 has stopped/);
    await untilHandled(url, 10);
    await service.send(5);
    const page = await untilHandled(url, 15);
    assert.equal(sumIn(page, 'work_processes'), 1);
    await endInOrder(command);
  });

  it('keeps the counters of a process that does not answer, and leaves out its gauges', async () => {
    const command = service.work(['--metrics-port', '0']);
    const [ready] = await untilLogged(command, READY);
    const url = await urlOf(command);
    await service.send(3);
    await untilHandled(url, 3);
    process.kill(Number(ready?.pid), 'SIGSTOP');
    try {
      const page = await pageAt(url);
      assert.equal(handledIn(page), 3);
      assert.equal(sumIn(page, 'work_unanswered_total'), 1);
      assert.doesNotMatch(page, /^hopline_slots\{/m);
    } finally {
      process.kill(Number(ready?.pid), 'SIGCONT');
    }
    await endInOrder(command);
  });

  it('is OpenMetrics for who asks for it', async () => {
    const command = service.work(['--metrics-port', '0']);
    await untilLogged(command, READY);
    const page = await pageAt(await urlOf(command), {
      accept: 'application/openmetrics-text; version=1.0.0',
    });
    assert.match(page, /^# TYPE hopline_messages_handled counter$/m);
    assert.match(page, /^hopline_messages_handled_total\{/m);
    assert.ok(page.endsWith('# EOF\n'));
    await endInOrder(command);
  });

  it('is served beside what waits, at the same address', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const command = service.work(['--metrics-port', `${port}`, '--scaling-port', `127.0.0.1:${port}`]);
    await untilLogged(command, READY);
    const url = await urlOf(command);
    assert.equal(url, `http://127.0.0.1:${port}/metrics`);
    assert.match(await pageAt(url), /^hopline_ready\{/m);
    const [entry] = await untilLogged(command, /^what waits is told at/);
    assert.equal(entry?.url, `http://127.0.0.1:${port}/scaling`);
    await eventually(async () => assert.equal((await fetch(String(entry?.url))).status, 200));
    const other = await fetch(new URL('/', url));
    assert.deepEqual(
      [other.status, await other.json()],
      [404, { error: 'only /scaling and /metrics exist here' }],
    );
    await endInOrder(command);
  });

  /** A page of an application of this text, in which SERVICE stands for a name of its own. */
  async function pageOfApp(
    text: string,
    accept: string,
    condition: (page: string) => boolean,
  ): Promise<string> {
    const folder = await mkdtemp(join(root, 'dist/work-metrics-'));
    const app = join(folder, 'app.js');
    await writeFile(app, text.replaceAll('SERVICE', service.name));
    const command = new Command(['work', app, '--metrics-port', '0'], { url: service.url });
    try {
      await untilLogged(command, READY);
      const url = await urlOf(command);
      const page = await eventually(async () => {
        const text = await pageAt(url, { accept });
        assert.ok(condition(text), text);
        return text;
      });
      await endInOrder(command);
      return page;
    } finally {
      command.child.kill('SIGKILL');
      await command.ended;
      await rm(folder, { recursive: true });
      for (const letter of ['a', 'b'])
        await removeFromBroker(service.url, {
          queues: [`${service.name}-${letter}`],
          prefix: `${service.name}-${letter}`,
        });
    }
  }

  const OPEN = 'application/openmetrics-text; version=1.0.0';

  it("has the application's own metrics, and adds a bus only once that it has added itself", async () => {
    const page = await pageOfApp(
      `import { Bus, rabbitmq } from 'hopline';
       import { prometheus } from 'hopline/prometheus';
       import { Counter, collectDefaultMetrics, Gauge, Histogram, register } from 'prom-client';
       const own = (service) =>
         new Bus({ service, prefix: service, transport: rabbitmq({ url: process.env.AMQP_URL }), operatorControl: false });
       export const bus = [own('SERVICE-a'), own('SERVICE-b')];
       prometheus(bus[0], { register, buckets: [1, 2] });
       new Counter({ name: 'own_total', help: 'own' }).inc(5);
       new Gauge({ name: 'broken', help: 'broken', collect() { throw new Error('never'); } });
       new Gauge({ name: 'hangs', help: 'hangs', collect: () => new Promise(() => {}) });
       new Histogram({ name: 'own_seconds', help: 'own', buckets: [1] }).observe(2);
       collectDefaultMetrics();
       register.setDefaultLabels({ zone: 'here' });`,
      'text/plain',
      (text) => /^own_total\{zone="here"\} 5$/m.test(text),
    );
    assert.doesNotMatch(page, /^(broken|hangs)/m);
    assert.match(page, /^own_seconds_count\{zone="here"\} 1$/m);
    assert.match(page, /^process_cpu_seconds_total\{zone="here"\} /m);
    assert.ok(sumIn(page, 'scrape_errors_total', 'source="application"', 'zone="here"') >= 2, page);
    for (const letter of ['a', 'b'])
      assert.equal(sumIn(page, 'ready', `service="${service.name}-${letter}"`, 'zone="here"'), 1, page);
  });

  it("leads to the traces of the application's tracer, in OpenMetrics", async () => {
    const page = await pageOfApp(
      `import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
       import { Bus, rabbitmq } from 'hopline';
       import { otel } from 'hopline/otel';
       new NodeTracerProvider().register();
       const service = 'SERVICE-a';
       const transport = rabbitmq({ url: process.env.AMQP_URL });
       export const bus = new Bus({ service, prefix: service, transport, middleware: [otel()], operatorControl: false });
       bus.handle('a.key', () => {}, { name: 'A' });
       bus.on('bus.started', () => bus.publish('a.key', {}));`,
      OPEN,
      (text) => handledIn(text) === 1,
    );
    assert.match(
      page,
      /^hopline_handler_duration_seconds_bucket\{.*\} 1 # \{trace_id="[\da-f]{32}"\} \S+ \d+/m,
    );
  });

  it('starts nothing without prom-client, and says what to install', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-without-'));
    try {
      // A copy of the package with nothing beside it but what it depends on.
      const copy = join(folder, 'node_modules/hopline');
      await mkdir(copy, { recursive: true });
      for (const name of ['lib', 'package.json'])
        await cp(join(root, name), join(copy, name), { recursive: true });
      for (const name of ['amqplib', '@standard-schema'])
        await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
      const app = join(folder, 'app.mjs');
      await writeFile(app, 'export const bus = {};');
      const main = join(copy, 'lib/cli.js');
      const { code, stderr, stdout } = await new Command(['work', app, '--metrics-port', '0'], { main })
        .ended;
      assert.deepEqual(
        [code, stdout, stderr],
        [
          2,
          '',
          "error: --metrics-port needs prom-client, which can't be loaded. Install it beside the application: npm install prom-client\n",
        ],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses an address that is none, and one that is taken', async () => {
    const wrong = await service.work(['--metrics-port=localhost']).ended;
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--metrics-port is no port, and no address: /);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await service.work(['--metrics-port', `${port}`]).ended;
    other.close();
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /--metrics-port can't be 127\.0\.0\.1:\d+: another process listens there/);
  });
});
