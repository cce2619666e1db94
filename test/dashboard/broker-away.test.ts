import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, ConnectError, memory, rabbitmq, type Transport } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import type { Session, SessionOptions } from '../../src/transport/transport.js';
import type { Deadline } from '../../src/util/deadline.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { ask, Dashboards } from './dashboards.js';

type State = 'there' | 'refusing' | 'silent';

/** A broker in memory that a test can have out of reach: refusing at once, or silent. */
class Reachable implements Transport {
  readonly kind = 'memory';
  readonly clock;
  private state: State = 'there';
  private readonly opened: SessionOptions[] = [];
  /** Ends the calls that a silent broker has not answered. */
  private returns = new AbortController();

  constructor(private readonly inner = memory()) {
    this.clock = inner.clock;
  }

  now(state: State): void {
    this.state = state;
    if (state === 'silent') return;
    this.returns.abort();
    this.returns = new AbortController();
    const connection = { connection: 'publish' } as never;
    for (const { events } of this.opened)
      events.emit(state === 'there' ? 'connection.up' : 'connection.down', connection);
  }

  async open(options: SessionOptions, deadline: Deadline): Promise<Session> {
    await this.reached(deadline);
    const session = await this.inner.open(options, deadline);
    this.opened.push(options);
    const asked = ['inspect', 'hold', 'listen', 'consume', 'publish', 'declare'] as const;
    const cut = asked.map((name) => {
      const own = session[name].bind(session) as (...given: unknown[]) => Promise<unknown>;
      const value = async (...given: unknown[]) => {
        await this.reached();
        return own(...given);
      };
      return [name, { value }] as const;
    });
    return Object.create(session, Object.fromEntries(cut));
  }

  private async reached(deadline?: Deadline): Promise<void> {
    if (this.state === 'there') return;
    const away = () => new ConnectError('it is away', 'Wait.');
    if (this.state === 'refusing') throw away();
    const { signal } = this.returns;
    const silence = once(signal, 'abort').then(() => Promise.reject(away()));
    await (deadline ? deadline.race(silence, away) : silence);
  }
}

describe('a dashboard', () => {
  const dashboards = new Dashboards();
  let transport: Reachable;
  let bus: Bus;

  beforeEach(async () => {
    transport = new Reachable();
    bus = new Bus({ service: 'shop', transport, log: silentLogger, failureLog: false });
    const fail = () => {
      throw new Error('no such order');
    };
    await bus.handle('order.placed', fail, { queue: 'orders', name: 'Ship', retry: { tries: 1 } }).start();
  });
  afterEach(async () => {
    await bus.stop();
  });

  const make = () => dashboards.make({ transport, log: silentLogger });
  /** An operator notes something of the one group: what nobody has written is hardly ever asked for. @returns the group's id */
  const noted = async (): Promise<string> => {
    const failures = await openFailures({ transport, queues: ['orders'], log: silentLogger });
    const index = failures.index();
    const [group] = await eventually(async () => {
      await index.refresh({ force: true });
      const groups = await index.groups();
      return groups.length > 0 ? groups : false;
    });
    await index.mark(group?.id ?? '', { note: 'ask the shop' }, 'ada');
    await failures.close();
    return group?.id ?? '';
  };
  const textOf = async (answer: Promise<Response>) => (await answer).text();

  it('that was just started says of no dead letter that it is not there, and finds them by itself', async () => {
    await bus.publish('order.placed', {}, { messageId: 'm1' });
    const one = make();
    const first = await ask(one, '/shop/failures');
    assert.match(await first.text(), /have not been read yet/);
    const letter = await ask(one, '/shop/messages/orders.dead/m1');
    assert.equal(letter.status, 200);
    await eventually(async () =>
      assert.match(await textOf(ask(one, '/shop/failures')), /1(?:<[^>]*>|\s)*dead letter\b/),
    );
    assert.equal((await ask(one, '/shop/messages/orders.dead/m1')).status, 200);
    assert.equal((await ask(one, '/shop/messages/orders.dead/never')).status, 404);
  });

  it('shows what it has while its broker is silent, and says what of it may have changed', async () => {
    await bus.publish('order.placed', {}, { messageId: 'm1' });
    const group = await noted();
    const one = make();
    const shown = () => textOf(ask(one, '/shop/failures'));
    await eventually(async () => /no such order/.test(await shown()));
    await ask(one, '/shop/messages/orders.dead/m1');
    transport.now('silent');
    try {
      await eventually(async () => /States and notes of groups could not be read/.test(await shown()));
      assert.ok(/no such order/.test(await shown()));
      const paths = ['/', `/failures/${group}`, '/search?q=order', '/queues', '/messages/orders.dead/m1'];
      const began = performance.now();
      const answers = await Promise.all(paths.map((path) => ask(one, `/shop${path}`)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.ok(performance.now() - began < 7_000, `${performance.now() - began} ms`);
    } finally {
      transport.now('there');
    }
  });
});

describe('a watch whose broker is away', () => {
  it('tells how old its figures are, and nothing of their age before the first', async () => {
    const transport = new Reachable();
    transport.now('refusing');
    const watch = startWatch({
      ...{ transport, wait: '20ms', every: '50ms', everyWhileFollowed: '50ms', log: silentLogger },
    });
    try {
      const { at, reached } = await watch.latest();
      assert.deepEqual([at, reached], [undefined, false]);
      transport.now('there');
      const seen = await eventually(() => (watch.seen?.reached ? watch.seen : false));
      transport.now('refusing');
      const lost = await eventually(() => (watch.seen?.reached === false ? watch.seen : false));
      assert.ok(seen.at !== undefined && lost.at !== undefined && lost.at >= seen.at);
      const later = await eventually(() => (watch.seen && watch.seen !== lost ? watch.seen : false));
      assert.deepEqual([later.reached, later.at], [false, lost.at]);
    } finally {
      await watch.close();
    }
  });
});

describe('a dashboard whose broker was never reached', () => {
  const dashboards = new Dashboards();
  const sockets: Socket[] = [];
  let silent: Server;
  let port: number;

  before(async () => {
    silent = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    port = (silent.address() as AddressInfo).port;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('does not give figures that it does not have, and is closed at once', async () => {
    const prefix = `test-${randomBytes(4).toString('hex')}`;
    const transport = rabbitmq({ url: `amqp://guest:guest@127.0.0.1:${port}` });
    const one = dashboards.make({ transport, prefix, name: 'Shop', log: silentLogger });
    const began = performance.now();
    const text = await textAt(one, '/shop/');
    const tookMs = performance.now() - began;
    assert.ok(tookMs < 7_000, `${tookMs} ms`);
    assert.match(text, /has not answered yet, so nothing is known/);
    assert.doesNotMatch(text, /as old as the last answer|<span class="num[^"]*">0(?:\/s)?<\/span>/);
    const closing = performance.now();
    await one.close();
    assert.ok(performance.now() - closing < 1_500, `${performance.now() - closing} ms`);
  });

  const textAt = async (one: Parameters<typeof ask>[0], path: string) => (await ask(one, path)).text();
});
