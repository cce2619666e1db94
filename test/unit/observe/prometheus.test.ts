import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import type { Bus } from '../../../src/bus.js';
import { UnrecoverableError } from '../../../src/errors.js';
import { METRICS, type MetricName } from '../../../src/observe/metrics/catalogue.js';
import { prometheus } from '../../../src/observe/prometheus/index.js';
import { BusBench } from '../bus-bench.js';
import { problemsOf } from '../option-problems.js';

/** The lines of a page that begin with this name, without the label that all of them have. */
function linesOf(page: string, name: string): string[] {
  const lines = page.split('\n').filter((line) => line.startsWith(`hopline_${name}{`));
  return lines
    .map((line) => line.replace('hopline_', '').replace('service="svc"', '').replace('{,', '{'))
    .sort();
}

describe('the metrics of a bus, for prom-client,', () => {
  let bench: BusBench;
  let register: Registry;
  beforeEach(() => {
    bench = new BusBench();
    register = new Registry();
  });
  afterEach(() => bench.close());

  const page = () => register.metrics();

  async function valueIn(line: string): Promise<number | undefined> {
    const found = (await page()).split('\n').find((each) => each.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.slice(line.length + 1));
  }

  it('count what is published, by exchange', async () => {
    const bus = await bench.started({ maxBodyBytes: 1_000 });
    prometheus(bus, { register });
    await bus.publish('a.key', {});
    await bus.publish('a.key', {});
    await assert.rejects(bus.send('nobody.takes', {}));
    const text = await page();
    const all = 'service="svc",exchange="hopline.events"';
    for (const [name, count] of [
      ['published', 3],
      ['confirmed', 2],
      ['returned', 1],
      ['rejected', 0],
    ])
      assert.ok(text.includes(`\nhopline_messages_${name}_total{${all}} ${count}\n`), `${name}\n${text}`);
    assert.ok(text.includes(`\nhopline_publish_duration_seconds_count{${all}} 2\n`));
  });

  it('count the messages of a pack one by one', async () => {
    const bus = await bench.started();
    prometheus(bus, { register });
    await bus.publishMany('a.key', [1, 2, 3], { pack: 3 });
    assert.equal(
      await valueIn('hopline_messages_confirmed_total{service="svc",exchange="hopline.events"}'),
      3,
    );
  });

  it('count what becomes of messages, by queue and handler', async () => {
    const bus = bench.bus();
    bus.handle(
      'a.*',
      (payload, context) => {
        if (payload === 'fails') throw new Error('not yet');
        if (payload === 'dead') throw new UnrecoverableError('never');
        if (payload === 'later' && context.attempt === 1) context.release('1h');
        if (payload === 'away') context.discard();
      },
      { name: 'A', queue: 'q', retry: { tries: 2, backoff: '1s' } },
    );
    prometheus(bus, { register });
    await bus.start();
    for (const payload of ['fine', 'fails', 'dead', 'later', 'away']) await bus.publish('a.b', payload);
    await bench.clock.advance(10_000);
    const text = await page();
    const of = 'queue="q",handler="A"';
    assert.deepEqual(linesOf(text, 'messages_handled_total'), [
      `messages_handled_total{${of},outcome="failed"} 3`,
      `messages_handled_total{${of},outcome="succeeded"} 1`,
    ]);
    assert.deepEqual(linesOf(text, 'messages_retried_total'), [
      `messages_retried_total{${of},attempt="1"} 1`,
    ]);
    assert.deepEqual(linesOf(text, 'messages_dead_lettered_total'), [
      `messages_dead_lettered_total{${of},reason="exhausted"} 1`,
      `messages_dead_lettered_total{${of},reason="unrecoverable"} 1`,
    ]);
    for (const [name, count] of [
      ['messages_released_total', 1],
      ['messages_discarded_total', 1],
      ['messages_skipped_total', 0],
      ['handler_timeouts_total', 0],
      ['handler_duration_seconds_count', 4],
      ['message_duration_seconds_count', 1],
      ['message_wait_seconds_count', 3],
    ] as const)
      assert.deepEqual(linesOf(text, name), [`${name}{${of}} ${count}`]);
  });

  it('measure run, wait and whole time in buckets, by the clock of the bus', async () => {
    const bus = bench.bus();
    const handle = () => new Promise<void>((resolve) => void bench.clock.setTimer(resolve, 2_000));
    bus.handle('a.key', handle, { name: 'A', queue: { name: 'q', concurrency: 1 } });
    prometheus(bus, { register, buckets: [1, 2, 4] });
    await bus.start();
    await bus.publishMany('a.key', [1, 2]);
    await bench.clock.advance(5_000);
    const text = await page();
    const bucketsOf = (name: string) =>
      linesOf(text, `${name}_bucket`).map((line) => line.replace(/^.*le="([^"]+)".*} /, '$1: '));
    assert.deepEqual(bucketsOf('handler_duration_seconds'), ['+Inf: 2', '1: 0', '2: 2', '4: 2']);
    assert.deepEqual(bucketsOf('message_wait_seconds'), ['+Inf: 2', '1: 1', '2: 2', '4: 2']);
    assert.deepEqual(bucketsOf('message_duration_seconds'), ['+Inf: 2', '1: 0', '2: 1', '4: 2']);
    assert.deepEqual(linesOf(text, 'message_duration_seconds_sum'), [
      'message_duration_seconds_sum{queue="q",handler="A"} 6',
    ]);
  });

  it('tell of slots, of what runs and what waits, and of consumers', async () => {
    const bus = bench.bus();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    bus.handle('a.key', () => ended, { name: 'A', queue: { name: 'q', concurrency: 2 } });
    prometheus(bus, { register });
    await bus.start();
    await bus.publishMany('a.key', [1, 2, 3, 4, 5]);
    await bench.clock.advance(3_000);
    const text = await page();
    const values = Object.fromEntries(
      [...text.matchAll(/^hopline_(\w+)\{service="svc",queue="q"(?:,handler="A")?\} (\S+)$/gm)].map(
        ([, name, value]) => [name, Number(value)],
      ),
    );
    for (const [name, value] of Object.entries({
      slots: 2,
      slots_busy: 2,
      // The second begins after a second: until one message is trusted, no other is fetched.
      slots_busy_seconds_total: 5,
      messages_fetched: 1,
      oldest_message_seconds: 3,
      queue_messages: 2,
      queue_consumers: 1,
      consumers: 1,
      handler_running: 2,
      handler_longest_seconds: 3,
      handler_timeout_seconds: 60,
    }))
      assert.equal(values[name], value, name);
    end();
    await bench.closeBuses();
    assert.equal(await valueIn('hopline_slots_busy_seconds_total{service="svc",queue="q"}'), 5);
    assert.equal(await valueIn('hopline_slots{service="svc",queue="q"}'), undefined);
    assert.equal(await valueIn('hopline_ready{service="svc"}'), 0);
  });

  it('have a series for each handler before there is a message, so that a rate sees the first', async () => {
    const bus = bench.bus();
    bus.handle('a.key', () => {}, { name: 'A', queue: { name: 'q', lanes: ['high', 'default'] } });
    prometheus(bus, { register });
    await bus.start();
    const queues = linesOf(await page(), 'messages_skipped_total');
    assert.deepEqual(queues, [
      'messages_skipped_total{queue="q",handler="A"} 0',
      'messages_skipped_total{queue="q.high",handler="A"} 0',
    ]);
  });

  it('count connections that were there before, and those that come later', async () => {
    const early = bench.bus().handle('k', () => {});
    prometheus(early, { register });
    await early.start();
    assert.equal(await valueIn('hopline_reconnects_total{service="svc",connection="publish"}'), 0);
    assert.equal(await valueIn('hopline_connection_up{service="svc",connection="consume"}'), 1);
    assert.equal(await valueIn('hopline_ready{service="svc"}'), 1);
  });

  it('have no consuming connection where nothing is consumed: one that is down would be an outage', async () => {
    const bus = bench.bus();
    prometheus(bus, { register });
    assert.equal(await valueIn('hopline_connection_up{service="svc",connection="publish"}'), 0);
    await bus.start();
    assert.equal(await valueIn('hopline_connection_up{service="svc",connection="publish"}'), 1);
    assert.deepEqual(
      linesOf(await page(), 'connection_up').filter((line) => line.includes('consume')),
      [],
    );
  });

  it('count batches', async () => {
    const bus = bench.bus();
    bus.handle('a.job', () => {}, { queue: 'q' });
    prometheus(bus, { register });
    await bus.start();
    await bus.batch([{ key: 'a.job', payload: 1 }]).dispatch();
    await bench.clock.advance(1_000);
    const text = await page();
    assert.deepEqual(linesOf(text, 'batches_total'), [
      'batches_total{state="dispatched"} 1',
      'batches_total{state="finished"} 1',
    ]);
  });

  it('are those of the catalogue, each with its help and type', async () => {
    prometheus(bench.bus(), { register });
    const text = await page();
    for (const [name, { help, type, ofSupervisor }] of Object.entries(METRICS) as [MetricName, About][]) {
      assert.equal(
        text.includes(`# HELP hopline_${name} ${help}\n# TYPE hopline_${name} ${type}\n`),
        !ofSupervisor,
      );
    }
  });

  interface About {
    readonly help: string;
    readonly type: string;
    readonly ofSupervisor?: true;
  }

  it('have names by the conventions: counters end in _total, and what has a unit names it', () => {
    for (const [name, about] of Object.entries(METRICS)) {
      const { type, unit = '' } = about as { type: string; unit?: string };
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.equal(name.replace(/_total$/, '').endsWith('_seconds'), unit === 'seconds', name);
    }
  });

  it('are those of all buses of a registry, the same series put together', async () => {
    const buses = [bench.bus(), bench.bus(), bench.bus({ service: 'other' })];
    for (const bus of buses) prometheus(bus, { register });
    for (const bus of buses) await bus.start();
    for (const bus of buses) await bus.publish('a.key', {});
    for (const [service, count] of [
      ['svc', 2],
      ['other', 1],
    ])
      assert.equal(
        await valueIn(`hopline_messages_confirmed_total{service="${service}",exchange="hopline.events"}`),
        count,
      );
    assert.equal(await valueIn('hopline_ready{service="svc"}'), 1);
    await buses[1]?.stop();
    assert.equal(await valueIn('hopline_ready{service="svc"}'), 0, 'of two buses the worse counts');
  });

  it('leave the registry with the last bus, and come back', async () => {
    const [one, other] = [bench.bus(), bench.bus({ service: 'other' })];
    const remove = prometheus(one, { register });
    prometheus(one, { register });
    const removeOther = prometheus(other, { register });
    remove();
    assert.doesNotMatch(await page(), /service="svc"/);
    assert.match(await page(), /hopline_ready\{service="other"\}/);
    removeOther();
    removeOther();
    assert.equal(await page(), '\n');
    prometheus(one, { register });
    assert.match(await page(), /hopline_ready\{service="svc"\}/);
    register.clear();
    prometheus(one, { register });
    assert.match(await page(), /hopline_ready\{service="svc"\}/);
  });

  it('may have other buckets once nobody has these', () => {
    const bus = bench.bus();
    prometheus(bus, { register, buckets: [1, 2] })();
    const remove = prometheus(bus, { register, buckets: [1, 3] });
    assert.equal(problemsOf(() => prometheus(bus, { register, buckets: [1, 2] })).length, 1);
    remove();
    prometheus(bus, { register, buckets: [1, 2] });
  });

  it('have their names after a scrape in the OpenMetrics format, too, when they come back', async () => {
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const bus = bench.bus();
    prometheus(bus, { register });
    await page();
    register.clear();
    const remove = prometheus(bus, { register });
    assert.match(await page(), /^hopline_outbox_relayed_total\{service="svc"\} 0$/m);
    remove();
    assert.deepEqual(register.getMetricsAsArray(), []);
  });

  it('count everything although the function for exemplars fails, which is asked only once then', async () => {
    const bus = bench.bus();
    bus.handle('a.key', () => {}, { name: 'A', queue: 'q' });
    let asked = 0;
    const exemplar = () => {
      asked += 1;
      throw new Error('no tracer');
    };
    prometheus(bus, { register, exemplar });
    await bus.start();
    await bus.publish('a.key', {});
    await bench.clock.advance(0);
    for (const name of ['handler_duration', 'message_wait', 'message_duration'])
      assert.equal(await valueIn(`hopline_${name}_seconds_count{service="svc",queue="q",handler="A"}`), 1);
    assert.equal(asked, 1);
  });

  it('never fail a scrape: what can not be had is missing and counted', async () => {
    const bus = await bench.started();
    const broken = {
      service: 'svc',
      on: bus.on.bind(bus),
      health: () => bus.health(),
      status: () => bus.status(),
      workload: () => Promise.reject(new Error('the broker is away')),
      outboxBacklog: () => new Promise<never>(() => {}),
    } satisfies Partial<Bus>;
    prometheus(broken, { register });
    assert.deepEqual(linesOf(await page(), 'scrape_errors_total'), [
      'scrape_errors_total{source="outbox"} 1',
      'scrape_errors_total{source="workload"} 1',
    ]);
    const worse = {
      ...broken,
      service: 'worse',
      status: () => {
        throw new Error('no memory');
      },
    };
    prometheus(worse, { register });
    const ofWorse = (await page()).split('\n').filter((line) => /^hopline_scrape_errors.*worse/.test(line));
    assert.deepEqual(ofWorse, ['hopline_scrape_errors_total{service="worse",source="status"} 1']);
  });

  it('show exemplars and names as OpenMetrics has them, if the registry is of that format', async () => {
    const open = new Registry();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const bus = bench.bus();
    bus.handle('a.key', () => {}, { name: 'A', queue: 'q' });
    const ids = ['x'.repeat(200), 'abc'];
    prometheus(bus, { register: open, exemplar: () => ({ trace_id: ids.shift() ?? 'late' }) });
    prometheus(bus, { register });
    await bus.start();
    await bus.publish('a.key', {});
    await bench.clock.advance(0);
    for (let scrape = 0; scrape < 2; scrape += 1) {
      const text = await open.metrics();
      assert.match(text, /^# TYPE hopline_messages_handled counter$/m);
      assert.match(text, /^hopline_messages_handled_total\{.*outcome="succeeded"\} 1$/m);
      const exemplars = text.split('\n').filter((line) => line.includes(' # {'));
      assert.ok(
        exemplars.length > 0 &&
          exemplars.every((line) =>
            /^hopline_\w+_bucket\{.* # \{trace_id="(abc|late)"\} \S+ \d+(\.\d+)?$/.test(line),
          ),
        exemplars.join('\n'),
      );
      assert.ok(!text.includes('xxx'), 'labels of more than 128 characters are left out');
      assert.ok(text.endsWith('# EOF\n'));
    }
    // What two scrapes have made of a name stays out of the JSON.
    const asJson = (await open.getMetricsAsJSON()).map(({ name }) => name);
    assert.ok(asJson.includes('hopline_messages_handled_total'));
    assert.doesNotMatch(await page(), /trace_id/);
  });

  it('share a registry with other metrics, under another prefix', async () => {
    const bus = bench.bus();
    const own = {
      name: 'hopline_ready',
      help: 'of somebody else',
      type: 'gauge',
      get: async () => own,
      values: [],
    };
    register.registerMetric(own as never);
    assert.deepEqual(
      problemsOf(() => prometheus(bus, { register })),
      ['the register has another metric hopline_ready: give another prefix or register'],
    );
    prometheus(bus, { register, prefix: 'acme_' });
    assert.match(await page(), /^acme_ready\{service="svc"\} 0$/m);
  });

  it('are refused with all problems of the options at once', () => {
    const bus = bench.bus();
    const wrong = { register: {}, prefix: '9', buckets: [1, 1], exemplar: 'trace', bucket: [] };
    assert.deepEqual(
      problemsOf(() => prometheus({} as never, wrong as never)),
      [
        'expected the first argument to be a Bus (an object with on, status, health, workload, outboxBacklog)',
        'unknown option bucket, did you mean buckets?',
        'expected register to be a Registry of prom-client (an object with registerMetric, getSingleMetric, removeSingleMetric), got an object (Object)',
        'expected prefix to be letters, digits, _ and :, and no digit first, got "9"',
        'expected buckets to be a list of ascending positive numbers, got an array of 2',
        'expected exemplar to be a function, got "trace"',
      ],
    );
    assert.equal(problemsOf(() => prometheus(bus, undefined as never)).length, 1);
    prometheus(bus, { register, buckets: [1, 2] });
    prometheus(bench.bus(), { register });
    assert.match(
      problemsOf(() => prometheus(bench.bus(), { register, buckets: [1, 3] }))[0] ?? '',
      /with the buckets 1, 2: give the same, or another prefix or register/,
    );
  });
});
