import assert from 'node:assert/strict';
import type { TopologyModel } from '../../src/dashboard/pages/topology/model.js';
import { reach, type TopologyBinding, type TopologyFacts } from '../../src/dashboard/site/reach.js';
import { drawn, seenOf, siteOf, watchOf } from './drawn.js';

const bound = (
  exchange: string,
  pattern: string,
  destination: string,
  more: Partial<TopologyBinding> = {},
): TopologyBinding => ({ exchange, pattern, destination, destinationKind: 'queue', handlers: [], ...more });

const FACTS: TopologyFacts = {
  exchanges: [
    { name: 'hopline.events', type: 'topic' },
    { name: 'audit', type: 'fanout' },
    { name: 'exact', type: 'direct' },
    { name: 'by-headers', type: 'headers' },
    { name: 'hopline.control', type: 'topic' },
  ],
  bindings: [
    bound('hopline.events', 'order.*', 'orders', { handlers: ['TakeOrder'] }),
    bound('hopline.events', 'order.#', 'history'),
    bound('hopline.events', '#', 'audit', { destinationKind: 'exchange' }),
    bound('audit', '', 'archive'),
    bound('audit', '', 'by-headers', { destinationKind: 'exchange' }),
    bound('audit', '', 'hopline.events', { destinationKind: 'exchange' }),
    bound('exact', 'one', 'archive'),
    bound('by-headers', '', 'special'),
    bound('hopline.control', '#', 'hopline.control.x'),
  ],
  queues: ['orders', 'history', 'archive', 'special', 'orders.dead', 'hopline.control.x'],
};

describe('the reach of a routing key', () => {
  it('follows bindings between exchanges, each once, and names what the key alone does not decide', () => {
    const { queues, unknown, through } = reach(FACTS, 'hopline.events', 'order.created');
    assert.deepEqual([queues, unknown], [['archive', 'history', 'orders'], ['by-headers']]);
    assert.equal(through.length, 6);
    assert.deepEqual(reach(FACTS, 'hopline.events', 'order').queues, ['archive', 'history']);
  });

  it('is that of the exchange: a direct one takes the key as it is, and the default one is a queue by its name', () => {
    assert.deepEqual(reach(FACTS, 'exact', 'one').queues, ['archive']);
    assert.deepEqual(reach(FACTS, 'exact', 'on*').queues, []);
    assert.deepEqual(reach(FACTS, '', 'orders').queues, ['orders']);
    assert.deepEqual(reach(FACTS, '', 'nothing').queues, []);
    assert.equal(reach(FACTS, 'missing', 'one').exists, false);
  });
});

describe('the page of the topology', () => {
  const site = (facts = FACTS) =>
    siteOf({
      topology: async () => facts,
      watch: watchOf({
        queues: [{ ...seenQueue('orders'), length: 1_234, outRate: 3.4 }],
        handlers: [handler('orders', 'TakeOrder', 2.5)],
      }),
    });

  it('draws exchanges, patterns, queues and handlers with their rates, without those of the bus itself', async () => {
    const { model, text, html } = await drawn<TopologyModel>('topology', site());
    assert.deepEqual(
      model.queues.map(({ queue }) => queue),
      ['archive', 'history', 'orders', 'special'],
    );
    assert.match(text, /1,234 · 3\.4\/s/);
    assert.match(text, /TakeOrder 2\.5\/s/);
    assert.doesNotMatch(html, /hopline\.control/);
    assert.doesNotMatch(html, /orders\.dead/);
    const places = model.picture.nodes.map(({ x, y }) => `${x} ${y}`);
    assert.equal(new Set(places).size, places.length, 'no two nodes have the same place');
  });

  it('keeps nodes apart and inside, and is the same each time, with 50 queues on circular exchanges', async () => {
    const queues = Array.from({ length: 50 }, (_none, index) => `queue-${String(index).padStart(2, '0')}`);
    const facts: TopologyFacts = {
      exchanges: ['a', 'b', 'c'].map((name) => ({ name, type: 'topic' })),
      bindings: [
        ...queues.flatMap((queue, index) =>
          Array.from({ length: 1 + (index % 6) }, (_none, at) =>
            bound(['a', 'b', 'c'][(index + at) % 3] ?? 'a', `key.${index}.${at}.#`, queue),
          ),
        ),
        bound('a', '#', 'b', { destinationKind: 'exchange' }),
        bound('b', '#', 'c', { destinationKind: 'exchange' }),
        bound('c', '#', 'a', { destinationKind: 'exchange' }),
      ],
      queues,
    };
    const { picture } = (await drawn<TopologyModel>('topology', site(facts))).model;
    for (const one of picture.nodes) {
      assert.ok(one.x >= 0 && one.y >= 0, one.id);
      assert.ok(one.x + one.width <= picture.width && one.y + one.height <= picture.height, one.id);
      for (const other of picture.nodes)
        if (one !== other && one.x === other.x)
          assert.ok(
            one.y + one.height <= other.y || other.y + other.height <= one.y,
            `${one.id} on ${other.id}`,
          );
    }
    assert.ok(picture.edges.length > 150, `${picture.edges.length} edges`);
    const turned = { ...facts, bindings: facts.bindings.toReversed(), queues: queues.toReversed() };
    const again = (await drawn<TopologyModel>('topology', site(turned))).model.picture;
    const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
    assert.deepEqual(again.nodes.toSorted(byId), picture.nodes.toSorted(byId));
  });

  it('says which queues a key reaches, and marks the way there', async () => {
    const { model, text } = await drawn<TopologyModel>('topology', site(), {
      query: 'exchange=hopline.events&key=order.created',
    });
    assert.match(text, /'order\.created' on hopline\.events reaches 3 queues archive history orders/);
    assert.match(text, /It may reach more by-headers/);
    const marked = model.picture.nodes.filter(({ isReached }) => isReached).map(({ title }) => title);
    assert.deepEqual(
      marked.toSorted(),
      [
        '#',
        '(no key)',
        '(no key)',
        '(no key)',
        'TakeOrder',
        'archive',
        'audit',
        'history',
        'hopline.events',
        'order.#',
        'order.*',
        'orders',
      ].toSorted(),
    );
    const none = await drawn('topology', site(), { query: 'exchange=exact&key=two' });
    assert.match(none.text, /'two' on exact reaches no queue/);
    const missing = await drawn('topology', site(), { query: 'exchange=missing&key=two' });
    assert.match(missing.text, /nothing is known of this exchange/);
  });

  it('is filtered by names, keeps what was asked, and says what there is none of', async () => {
    const query = 'text=HISTORY&exchange=exact&key=one';
    const { model, html } = await drawn<TopologyModel>('topology', site(), { query });
    assert.deepEqual(
      model.queues.map(({ queue }) => queue),
      ['history'],
    );
    assert.match(html, /<input type="hidden" name="key" value="one"/);
    assert.match(html, /<input type="hidden" name="text" value="HISTORY"/);
    const nothing = await drawn('topology', site(), { query: 'text=nowhere' });
    assert.match(nothing.text, /No exchange, pattern or queue has 'nowhere' in its name/);
    const empty = await drawn('topology', site({ exchanges: [], bindings: [], queues: [] }));
    assert.match(empty.text, /No queue of the application is known/);
  });

  it('shows hostile names as text, and why nothing is known', async () => {
    const name = `"><script>alert(1)</script>`;
    const facts = {
      exchanges: [{ name, type: 'topic' }],
      bindings: [bound(name, name, name)],
      queues: [name],
    };
    const { html } = await drawn('topology', site(facts), {
      query: `exchange=${encodeURIComponent(name)}&key=x`,
    });
    assert.doesNotMatch(html, /<script/);
    const away = siteOf({
      topology: async () => Promise.reject(new Error('away')),
      watch: watchOf(seenOf()),
    });
    assert.match((await drawn('topology', away)).text, /what is bound does not answer: away/);
  });

  it('stays within its bounds with a thousand queues', async () => {
    const queues = Array.from({ length: 1_000 }, (_none, index) => `queue-${index}`);
    const facts = {
      exchanges: [{ name: 'a', type: 'topic' }],
      bindings: queues.flatMap((queue) => [bound('a', `${queue}.#`, queue), bound('a', `#.${queue}`, queue)]),
      queues,
    };
    const { model, html, text } = await drawn<TopologyModel>('topology', site(facts));
    assert.deepEqual([model.queues.length, model.queueCount], [100, 1_000]);
    assert.match(text, /100 of 1,000 queues: filter for others/);
    assert.ok(html.length < 300_000, `${html.length} characters`);
  });
});

const seenQueue = (queue: string) => ({
  ...{ queue, of: queue, length: 0, consumers: 1, type: 'quorum', paused: false, oldestMs: 0 },
  ...{ inRate: 0, outRate: 0, clearMs: undefined, slots: 10, running: 0, waiting: 0, held: false },
  ...{ openCircuits: [], suspects: 0, deadLetters: 0 },
});

const handler = (queue: string, name: string, perSecond: number) => ({
  ...{
    service: 'shop',
    handler: name,
    queue,
    running: 0,
    perSecond,
    runtimeMs: undefined,
    waitMs: undefined,
  },
  ...{ failureRate: undefined, longestMs: undefined, timeoutMs: 0, attempts: 0, failures: 0, timedOut: 0 },
  ...{ retries: 0, deadLettered: 0, circuitsOpen: undefined, errors: [] },
});
