import assert from 'node:assert/strict';
import { renderToString } from 'preact-render-to-string';
import { Chart } from '../../src/dashboard/ui/chart/chart.js';
import { sinceKnown, thinned } from '../../src/dashboard/ui/chart/chart-data.js';
import { pathOf } from '../../src/dashboard/ui/chart/path.js';
import { Ago, Count } from '../../src/dashboard/ui/figures/figures.js';
import { Sparkline } from '../../src/dashboard/ui/figures/sparkline.js';
import { addressOf, Pager } from '../../src/dashboard/ui/filter.js';
import { ActionForm } from '../../src/dashboard/ui/form.js';
import { Layout } from '../../src/dashboard/ui/layout/layout.js';
import { type KeepOrder, RowOrder } from '../../src/dashboard/ui/row-order.js';
import { Table } from '../../src/dashboard/ui/table.js';
import { Code } from '../../src/dashboard/ui/text-blocks.js';
import { CONTEXT } from './drawn.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;

describe('a part of a page', () => {
  it('draws what is not known as a dash that says why, and not as 0', () => {
    const html = renderToString(<Count value={undefined} why="no management API" />);
    assert.match(html, /–/);
    assert.match(html, /not known: no management API/);
    assert.equal(renderToString(<Count value={0} />), '<span class="num">0</span>');
  });

  it('draws a time that no date can hold as what is not known', () => {
    assert.match(renderToString(<Ago at={9e15} now={0} />), /not known/);
    assert.match(
      renderToString(<Ago at={CONTEXT.now - 2_000} now={CONTEXT.now} />),
      /<time class="num" datetime="2026-11-30T11:59:58\.000Z"[^>]* data-ago="\d+"/,
    );
  });

  it('draws no form where actions are not allowed, and else one with token and confirmation', () => {
    const form = (mayAct: boolean) =>
      renderToString(
        <ActionForm
          context={{ ...CONTEXT, mayAct }}
          path="/queues/mail/pause"
          label="Pause"
          kind="danger"
          fields={{ from: 'queues' }}
          confirm="It stops."
        />,
      );
    assert.equal(form(false), '');
    const html = form(true);
    assert.match(
      html,
      /<form method="post" action="\/ops\/shop\/queues\/mail\/pause"[^>]* data-confirm="It stops\."/,
    );
    assert.match(html, /name="token" value="the-token"/);
    assert.match(html, /name="from" value="queues"/);
    assert.match(html, /<input type="checkbox" name="sure" value="yes" required/);
  });

  it('shows any text as text', () => {
    const html = renderToString(
      <>
        <Code label={HOSTILE} text={HOSTILE} copy />
        <Sparkline values={[1]} label={HOSTILE} />
        <Table
          caption={HOSTILE}
          columns={[{ label: HOSTILE, hint: HOSTILE, names: true, cell: (row: string) => row }]}
          rows={[HOSTILE]}
          keyOf={(row) => row}
          hrefOf={(row) => `/x/${encodeURIComponent(row)}`}
          select={{ form: 'f', name: 'ids', valueOf: (row) => row, labelOf: (row) => row }}
        />
      </>,
    );
    assert.doesNotMatch(html, /<script|<img/);
    assert.match(html, /&lt;script>alert\(1\)/);
  });

  it('marks rows that lead somewhere, by their names', () => {
    const html = renderToString(
      <Table
        caption="Queues"
        columns={[
          { label: 'Queue', names: true, cell: (row: { name: string }) => row.name },
          { label: 'Length', kind: 'number', cell: () => <Count value={5} /> },
        ]}
        rows={[{ name: 'mail' }]}
        keyOf={({ name }) => name}
        hrefOf={({ name }) => `/q/${name}`}
      />,
    );
    assert.match(
      html,
      /<tr data-row(="")?><th scope="row"><a href="\/q\/mail" data-primary(="")?>mail<\/a><\/th>/,
    );
    assert.match(html, /<th scope="col" class="number">Length<\/th>/);
  });

  it('has its rows in the order that a reader is used to, and all of them', () => {
    const table = (keep: KeepOrder) =>
      renderToString(
        <RowOrder.Provider value={keep}>
          <Table
            caption="Groups"
            columns={[{ label: 'Group', names: true, cell: (row: string) => row }]}
            rows={['a', 'b', 'c']}
            keyOf={(row) => row}
          />
        </RowOrder.Provider>,
      );
    const rows = (html: string) => [...html.matchAll(/<th scope="row">(\w)/g)].map(([, row]) => row);
    assert.deepEqual(rows(table((_, keys) => keys)), ['a', 'b', 'c']);
    assert.deepEqual(rows(table(() => ['c', 'a', 'b'])), ['c', 'a', 'b']);
  });

  it('has the way to the parts beside, and none where all is on one page', () => {
    const pager = (count: number, offset: number) =>
      renderToString(<Pager {...{ count, offset, limit: 50 }} hrefOf={(from) => `?offset=${from}`} />);
    assert.equal(pager(50, 0), '');
    assert.match(
      pager(12_431, 50),
      /51–100 of 12,431.*rel="prev" href="\?offset=0".*rel="next" href="\?offset=100"/,
    );
    assert.doesNotMatch(pager(120, 100), /next/);
    assert.equal(addressOf('/q', { text: 'a b&c', sort: undefined, offset: '' }), '/q?text=a+b%26c');
  });
});

describe('a chart', () => {
  const series = (values: (number | null)[]) => ({ from: 0, stepMs: 5_000, values });

  it('has its figures in a table, and those of each line that is not known as such', () => {
    const html = renderToString(
      <Chart
        title="Throughput"
        unit="rate"
        lines={[
          { label: 'handled', kind: 'main', series: series([1, 2, 30]) },
          { label: 'failed', kind: 'bad', series: series([null, null, null]) },
        ]}
      />,
    );
    assert.match(html, /<caption[^>]*>Throughput<\/caption>/);
    assert.match(html, /<td class="number">30\/s<\/td>/);
    assert.match(html, /handled <span class="num">30\/s<\/span>/);
    assert.match(html, /failed <span class="num"><span class="unknown"/);
  });

  it('says why it is empty', () => {
    const lines = [{ label: 'waiting', kind: 'main', series: series([]) }] as const;
    const html = renderToString(<Chart title="Length" unit="count" lines={lines} empty="It begins now." />);
    assert.match(html, /It begins now\./);
  });

  it('breaks its line where nothing is known', () => {
    assert.equal(pathOf([0, 10, null, 5], 10, 30, 12), 'M0 11L10 1M30 6');
  });

  it('has fewer points than there are values, each their mean, and ends with the last', () => {
    const all = Array.from({ length: 721 }, (_, index) => index);
    const { from, stepMs, values } = thinned(series(all), 180);
    assert.ok(values.length <= 180);
    assert.equal(stepMs, 25_000);
    assert.equal(values.at(-1), 718);
    assert.equal(from + (values.length - 1) * stepMs, 720 * 5_000);
    assert.deepEqual(thinned(series([null, null, 3]), 1).values, [3]);
    assert.deepEqual(thinned(series([null, null]), 1).values, [null]);
  });
});

describe('the charts of a page', () => {
  const series = (known: number, length = 720) => ({
    from: 0,
    stepMs: 5_000,
    values: Array.from({ length }, (_, at) => (at < length - known ? null : 1)),
  });
  const lengths = (all: ReturnType<typeof sinceKnown>) => all.map(([, { values }]) => values.length);

  it('begin with the first that is known of any of them, and are of five minutes at least', () => {
    const both = sinceKnown([
      ['a', series(100)],
      ['b', series(300)],
    ]);
    assert.deepEqual(lengths(both), [300, 300]);
    assert.equal(both[0]?.[1].from, 420 * 5_000);
    assert.deepEqual(lengths(sinceKnown([['a', series(2)]])), [60]);
    assert.deepEqual(lengths(sinceKnown([['a', series(0)]])), [60]);
    assert.deepEqual(lengths(sinceKnown([['a', series(720)]])), [720]);
    assert.deepEqual(
      lengths(
        sinceKnown([
          ['a', series(2)],
          ['b', series(0, 0)],
        ]),
      ),
      [720, 0],
    );
  });
});

describe('the frame of a page', () => {
  const site = { id: 'shop', title: HOSTILE, broker: 'here', href: '/ops/shop/' };
  const frame = {
    page: 'queues',
    base: '/ops/shop',
    nav: {
      site,
      sites: [site, { ...site, id: 'other', href: '/ops/other/' }],
      pages: [
        { name: 'overview', path: '/' },
        { name: 'queues', path: '/queues' },
        { name: 'unheard-of', path: '/x' },
      ],
      user: 'ann',
    },
    figures: { at: CONTEXT.now - 2_000, reached: true },
    now: CONTEXT.now,
  };

  it('leads to all pages and applications, and says where one is', () => {
    const html = renderToString(<Layout frame={frame}>page</Layout>);
    assert.match(html, /<a href="\/ops\/shop\/queues" aria-current="page" data-key="q">Queues<\/a>/);
    assert.match(html, /<a href="\/ops\/shop\/" data-key="o">Overview<\/a>/);
    assert.match(html, /href="\/ops\/other\/"/);
    assert.doesNotMatch(html, /unheard-of|<script/);
    assert.match(html, /Signed in as ann/);
  });

  it('says how old the figures are, and that the broker is not reached', () => {
    const text = (reached: boolean) =>
      renderToString(
        <Layout frame={{ ...frame, figures: { at: CONTEXT.now - 2_000, reached } }}>page</Layout>,
      );
    assert.match(text(true), /as of<\/span> <time[^>]*>2\u00a0s\u00a0ago/);
    assert.match(text(false), /data-live="lost".*broker not reached, as of/);
  });

  it('tells what an action has done', () => {
    const html = renderToString(<Layout frame={{ ...frame, said: "'mail' is paused." }}>page</Layout>);
    assert.match(html, /<p class="said" role="status">'mail' is paused\.<\/p>/);
  });

  it('has no style in its attributes and no script in its elements, which its policy forbids', () => {
    const html = renderToString(
      <Layout frame={{ ...frame, nav: { ...frame.nav, sites: [], site: { ...site, title: 'Shop' } } }}>
        page
      </Layout>,
    );
    assert.doesNotMatch(html, / style=| on\w+=/);
  });
});
