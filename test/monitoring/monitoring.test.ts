import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRICS } from '../../src/observe/metrics/catalogue.js';
import { type Command } from '../cli/command.js';
import { READY, untilLogged, useWorkService, type WorkService } from '../cli/work-service.js';
import { read, root } from '../project/repository.js';
import { freePorts } from '../support/broker/ports.js';
import { eventually } from '../support/eventually.js';
import { type Alert, Prometheus, programOf, promtool } from './programs.js';
import { RULE_CASES, type RuleCase } from './rule-cases.js';

const FOLDER = 'examples/monitoring';
const RULES = `${FOLDER}/alerts.yml`;

/** Getting the package may take a while. */
const INSTALL_TIMEOUT_MS = 300_000;

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const rulesOf = (text: string): readonly Rule[] =>
  (parse(text) as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap(({ rules }) => rules);

/** Names of metrics in a text, without the endings of histograms' lines. */
function metricsIn(text: string): string[] {
  const names = new Set([...text.matchAll(/\bhopline_(\w+)/g)].map(([, name = '']) => name));
  return [...names].map((name) => (name in METRICS ? name : name.replace(/_(bucket|sum|count)$/, ''))).sort();
}

describe('the examples of monitoring', function () {
  this.timeout(60_000);

  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await programOf('promtool');
  });

  for (const file of ['alerts.yml', 'dashboard.json'])
    it(`name only metrics that exist: ${file}`, () => {
      const named = metricsIn(read(`${FOLDER}/${file}`));
      assert.ok(named.length > 10);
      assert.deepEqual(
        named.filter((name) => !(name in METRICS)),
        [],
      );
    });

  it('are asked for in PromQL as the guide has it, of metrics that exist', () => {
    const page = read('docs/metrics.md').replace(/<!-- metrics: begin.*/s, '');
    const queries = [...page.matchAll(/^\| .+\? \| `(.+)` \|$/gm)].map(([, query = '']) => query);
    assert.ok(queries.length > 5);
    assert.deepEqual(
      queries.flatMap(metricsIn).filter((name) => !(name in METRICS)),
      [],
    );
  });

  it('have a dashboard that Grafana can import: each panel once, with a source that is chosen', () => {
    const { panels, templating, title } = JSON.parse(read(`${FOLDER}/dashboard.json`)) as {
      readonly title: string;
      readonly panels: readonly {
        readonly id: number;
        readonly type: string;
        readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
        readonly datasource?: { readonly uid: string };
        readonly targets?: readonly {
          readonly expr: string;
          readonly datasource: { readonly uid: string };
        }[];
      }[];
      readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
    };
    assert.equal(title, 'Hopline');
    assert.deepEqual(
      templating.list.map(({ name, type }) => [name, type]),
      [
        ['datasource', 'datasource'],
        ['service', 'query'],
        ['queue', 'query'],
      ],
    );
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_none, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length, 'no panel lies on another');
    const drawn = panels.filter(({ type }) => type !== 'row');
    assert.ok(drawn.length > 10);
    for (const { datasource, targets = [] } of drawn) {
      assert.ok(targets.length > 0);
      for (const source of [datasource, ...targets.map((target) => target.datasource)])
        assert.match(source?.uid ?? '', /^\$\{datasource\}$/);
    }
  });

  it('have queries in the dashboard that Prometheus can read', async () => {
    const { panels } = JSON.parse(read(`${FOLDER}/dashboard.json`)) as {
      panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rules = queries.map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }));
    const folder = await mkdtemp(join(tmpdir(), 'hopline-rules-'));
    try {
      const file = join(folder, 'queries.yml');
      await writeFile(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
      const { isContent, output } = await promtool(['check', 'rules', file]);
      assert.ok(isContent, output);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('have rules and a configuration that promtool accepts', async () => {
    for (const args of [
      ['check', 'rules', '--lint-fatal', join(root, RULES)],
      ['check', 'config', join(root, FOLDER, 'prometheus.yml')],
    ]) {
      const { isContent, output } = await promtool(args);
      assert.ok(isContent, output);
    }
  });

  it('have a case for each alert', () => {
    const tried = new Set(RULE_CASES.filter(({ fires }) => fires.length > 0).map(({ alert }) => alert));
    assert.deepEqual(
      rulesOf(read(RULES)).map(({ alert }) => alert),
      [...tried],
    );
  });

  for (const rule of RULE_CASES)
    it(`have an alert that ${rule.fires.length > 0 ? 'fires and ends' : 'knows when to be quiet'}: ${rule.alert}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hopline-rules-'));
      try {
        const file = join(folder, 'test.yml');
        await writeFile(file, JSON.stringify(promtoolTest(rule)));
        const { isContent, output } = await promtool(['test', 'rules', file]);
        assert.ok(isContent, output);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
});

/** A test file of promtool's. */
function promtoolTest({ alert, severity, labels, given, fires, isQuiet }: RuleCase): object {
  const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`;
  const all = { alertname: alert, alertstate: 'firing', severity, ...labels };
  const written = Object.entries(all).map(([name, value]) => `${name}="${value}"`);
  const firing = [{ labels: `ALERTS{${written.join(',')}}`, value: 1 }];
  return {
    rule_files: [join(root, RULES)],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: given,
        promql_expr_test: [
          ...fires.map((eval_time) => ({ expr, eval_time, exp_samples: firing })),
          ...isQuiet.map((eval_time) => ({ expr, eval_time, exp_samples: [] })),
        ],
      },
    ],
  };
}

describe('a Prometheus that scrapes workers', function () {
  this.timeout(120_000);
  const theService = useWorkService();
  let service: WorkService;
  let folder: string;
  let command: Command;
  let prometheus: Prometheus;

  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await programOf('prometheus');
  });
  beforeEach(async () => {
    service = theService();
    folder = await mkdtemp(join(tmpdir(), 'hopline-prometheus-'));
    command = service.work(['--metrics-port', '0', '--processes', '2']);
    await untilLogged(command, READY, 2);
    const [entry] = await untilLogged(command, /^metrics are told at/);
    const config = read(`${FOLDER}/prometheus.yml`)
      .replaceAll('15s', '1s')
      .replace('127.0.0.1:9464', new URL(String(entry?.url)).host);
    await writeFile(join(folder, 'prometheus.yml'), config);
    // Nobody waits for minutes here.
    await writeFile(join(folder, 'alerts.yml'), read(RULES).replace(/\b(\d+)m\b/g, '$1s'));
    const [port = 0] = await freePorts(1);
    prometheus = await Prometheus.start(folder, port);
  });
  afterEach(async () => {
    await prometheus.stop();
    command.child.kill('SIGTERM');
    await command.ended;
    await rm(folder, { recursive: true });
  });

  const until = (condition: () => Promise<boolean>) =>
    eventually(condition, { timeout: 45_000, interval: 200 }).catch((error: Error) =>
      assert.fail(`${error.message}\n${prometheus.said}${command.stdout}`),
    );

  const firing = async (name: string): Promise<readonly Alert[]> =>
    (await prometheus.alerts()).filter(
      ({ state, labels }) => state === 'firing' && labels.alertname === name,
    );

  it('tells that a queue backs up, and that it no longer does', async () => {
    const page = await (
      await fetch(String((await untilLogged(command, /^metrics are told/))[0]?.url))
    ).text();
    const { isContent, output } = await promtool(['check', 'metrics'], page);
    assert.ok(isContent && output === '', output);
    await until(async () => (await prometheus.query('up == 1')).length === 1);
    await until(async () => {
      await service.send(250, { ms: 100 });
      return (await firing('HoplineBacklogGrowing')).length > 0;
    });
    const [alert] = await firing('HoplineBacklogGrowing');
    assert.equal(alert?.labels.queue, `${service.name}.work`);
    assert.match(
      alert?.annotations.summary ?? '',
      /^\d+ messages wait in work-\w+\.work, and there are more/,
    );
    const [waiting] = await prometheus.query('max(hopline_queue_messages)');
    assert.ok((waiting?.value ?? 0) > 1_000);
    await service.purge();
    await until(async () => (await firing('HoplineBacklogGrowing')).length === 0);
    const [rate] = await prometheus.query(
      'sum(rate(hopline_messages_handled_total{outcome="succeeded"}[10s]))',
    );
    assert.ok((rate?.value ?? 0) > 0);
  });
});
