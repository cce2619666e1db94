import assert from 'node:assert/strict';
import type { Consumption } from '../../../src/consume/intake/consumption.js';
import { BusControl } from '../../../src/control/bus-control.js';
import { Orders } from '../../../src/control/orders.js';
import { encode } from '../../../src/control/protocol.js';
import {
  Bus,
  type BusEvents,
  ConnectError,
  memory,
  PublishTimeoutError,
  UnroutableError,
} from '../../../src/index.js';
import { NO_MIGRATIONS } from '../../../src/kept/migrations/document.js';
import type { Migrations } from '../../../src/kept/migrations/migrations.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import { ControlError } from '../../../src/operate.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Names } from '../../../src/topology/names.js';
import type { Held, Listener } from '../../../src/transport/operator-session.js';
import type { Session } from '../../../src/transport/transport.js';
import { Deadline } from '../../../src/util/deadline.js';
import { deferred } from '../../../src/util/deferred.js';
import { Emitter } from '../../../src/util/emitter.js';
import { silentLogger } from '../../../src/util/logger.js';

describe('a process that starts while another has what is paused', () => {
  const LIMITS = { maxInFlight: 10, maxInFlightBytes: 1_000_000 };

  it('waits for it until its start deadline', async () => {
    const clock = new ManualClock();
    const transport = memory({ clock });
    const process = () =>
      new Bus({ service: 'mailer', transport, startDeadline: '1m', log: silentLogger }).handle('k', () => {});
    const first = process();
    await first.start();
    const events = new Emitter<BusEvents>(() => {});
    const session = await transport.open(
      { service: 'another', names: new Names(), events, log: silentLogger, ...LIMITS },
      new Deadline(clock, 1_000),
    );
    const { paused } = new Names();
    const message = {
      to: 'exchange' as const,
      exchange: '',
      routingKey: paused,
      body: Buffer.from('{"paused":["q"]}'),
    };
    await session.publish({ ...message, properties: {}, mustRoute: true, deadlineMs: 1_000 });
    const held = await session.hold(paused, new Deadline(clock, 1_000));
    const second = process();
    const starting = second.start();
    await clock.advance(50_000);
    assert.equal(second.health().state, 'starting');
    held?.requeue();
    await clock.settle();
    await starting;
    await session.close(new Deadline(clock, 1_000));
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('a process that hears operators', () => {
  const clock = new ManualClock();
  let consumption: Pick<Consumption, 'setPaused' | 'setLimits' | 'handlers' | 'countsAlone'>;
  let paused: string[];
  let held: () => Promise<Held>;
  let published: OutgoingMessage[];
  let ears: Listener;

  const holding = (names: string[]) => async () =>
    ({ body: Buffer.from(JSON.stringify({ paused: names })), properties: {}, requeue: () => {} }) as never;

  async function hearing(): Promise<BusControl> {
    const session = {
      declare: async () => {},
      hold: () => held(),
      publish: async (message: OutgoingMessage) => void published.push(message),
      listen: async (_source: unknown, listener: Listener) => {
        ears = listener;
        return { close: async () => {} };
      },
    } as unknown as Session;
    const control = new BusControl({
      service: 'mailer',
      names: new Names(),
      session,
      topology: 'declare',
      clock,
      events: new Emitter<BusEvents>(() => {}),
      log: silentLogger,
      consumption: Object.assign(consumption, { setHeld: () => {} }) as unknown as Consumption,
      migrations: { expect: () => {}, read: async () => NO_MIGRATIONS } as unknown as Migrations,
      status: () => {
        throw new Error('nobody asks for it here');
      },
    });
    await control.start(new Deadline(clock, 1_000));
    return control;
  }

  beforeEach(() => {
    published = [];
    paused = [];
    consumption = {
      setPaused: (names) => {
        paused = [...names];
      },
      setLimits: () => {},
      handlers: [],
      countsAlone: false,
    };
    held = holding([]);
  });

  it('and is back before it has started asks again what is paused, until it is told', async () => {
    const control = await hearing();
    held = () => Promise.reject(new ConnectError('away', 'Wait.'));
    ears.back();
    await clock.settle();
    held = holding(['q']);
    await clock.advance(10_000);
    assert.deepEqual(paused, ['q']);
    control.stop();
  });

  it('has the limits that it is told while it reads older ones, and what is paused as it reads it', async () => {
    const limits: number[][] = [];
    consumption.setLimits = (all) => void limits.push(all.map(({ concurrency = 0 }) => concurrency));
    const control = await hearing();
    const answer = deferred<Held>();
    held = () => answer.promise;
    ears.back();
    await clock.settle();
    const limit = { queue: 'q', handler: 'Work', since: 1 };
    const told = encode({
      ask: 'limits',
      limits: [{ ...limit, concurrency: 2 }],
      queue: 'q',
      handler: 'Work',
    });
    ears.heard({ body: told, properties: { replyTo: 'operator' } });
    const kept = { paused: ['q'], limits: [{ ...limit, concurrency: 1 }] };
    answer.resolve({ body: Buffer.from(JSON.stringify(kept)), properties: {}, requeue: () => {} } as never);
    await clock.settle();
    assert.deepEqual([limits, paused], [[[], [2]], ['q']]);
    control.stop();
  });

  it('takes of what operators have ordered what it can read: an older version writes no limits', async () => {
    const sound = { bucket: 'stripe', rate: { allow: 2, everyMs: 1_000 }, since: 1 };
    const orders = (content: unknown) =>
      new Orders(
        {
          hold: async () => ({ body: Buffer.from(JSON.stringify(content)), requeue: () => {} }),
        } as unknown as Session,
        new Names(),
        clock,
      ).read();
    assert.deepEqual(await orders({ paused: ['q', 7] }), { paused: ['q'], limits: [] });
    const limits = [sound, { handler: 'Work' }, 'no', { ...sound, rate: { allow: 0, everyMs: 1 } }];
    assert.deepEqual(await orders({ paused: [], limits }), { paused: [], limits: [sound] });
    assert.deepEqual(await orders([]), { paused: [], limits: [] });
  });

  it('asks no more once it is stopped', async () => {
    const control = await hearing();
    held = () => Promise.reject(new ConnectError('away', 'Wait.'));
    ears.back();
    control.stop();
    await clock.settle();
    held = holding(['q']);
    await clock.advance(10_000);
    assert.deepEqual([paused, clock.armed], [[], 0]);
  });

  it('answers with a problem when it fails to do what it was told', async () => {
    const control = await hearing();
    consumption.setPaused = () => {
      throw new Error('out of order');
    };
    const body = encode({ ask: 'pauses', queue: 'q', paused: ['q'] });
    ears.heard({ body, properties: { replyTo: 'operator' } });
    await clock.settle();
    assert.match(published[0]?.body.toString() ?? '', /"problem":"out of order"/);
    control.stop();
  });
});

describe('a request that the broker does not take', () => {
  it('was met by an alarm, or by something that was deleted, and says what to do about that', () => {
    const late = new ControlError(new PublishTimeoutError('late', 'Wait.'));
    assert.match(late.help, /memory or disk alarm/);
    const deleted = new ControlError(new UnroutableError('', 'hopline.paused', undefined));
    assert.match(deleted.message, /no queue takes 'hopline.paused'/);
    assert.match(deleted.help, /was deleted: the next worker that starts declares it again/);
  });
});
