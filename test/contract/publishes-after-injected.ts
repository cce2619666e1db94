import 'reflect-metadata';
import assert from 'node:assert/strict';
import { setTimeout as later } from 'node:timers/promises';
import { container } from 'tsyringe';
import { Handles, handlers, Publishes, Queue, Retry } from '../../decorators/index.js';
import {
  AttemptOverError,
  type Bus,
  type MessageContext,
  Publisher,
  PublishNotKeptError,
} from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** Another class, which knows no message and publishes for those that use it. */
class Notices {
  static inject = [Publisher];

  constructor(private readonly publisher: Publisher) {}

  async tell(what: string): Promise<unknown> {
    await later(1);
    return this.publisher.publish('out.told', what);
  }

  steps(what: string): Promise<unknown> {
    return this.publisher.chain([{ key: 'out.step', payload: what }]).dispatch();
  }
}

@Queue({ name: 'orders' })
@Publishes('after')
@Retry({ tries: 2, backoff: '100ms' })
class Orders {
  static bus: Bus | undefined;
  static gate = deferred();
  static late: Promise<unknown> | undefined;
  static publisher: Publisher | undefined;

  constructor(
    private readonly notices: Notices,
    private readonly publisher: Publisher,
  ) {
    Orders.publisher = publisher;
  }

  @Handles('order.placed')
  async onPlaced(id: number, { attempt }: MessageContext): Promise<void> {
    await this.publisher.publish('out.placed', id);
    await this.publisher.sendMany('out.many', [id]);
    await this.notices.tell(`placed ${id}`);
    await this.notices.steps(`placed ${id}`);
    await Orders.bus?.publish('out.now', `attempt ${attempt}`);
    Orders.late = Orders.gate.promise.then(() => this.notices.tell('too late')).catch((error) => error);
    if (attempt < 2) throw new Error('not yet');
  }

  @Handles('order.many', { bulk: { max: 2, within: '50ms' } })
  async onMany(_ids: number[], [context]: MessageContext[]): Promise<void> {
    const refused = await this.notices.tell('whose?').catch((error: unknown) => error);
    assert.ok(refused instanceof PublishNotKeptError, String(refused));
    assert.throws(() => this.publisher.chain([]), PublishNotKeptError);
    await context?.once('at once', () => this.notices.tell('many').then(() => {}));
    await context?.publish('out.own', 1);
  }

  @Handles('order.now')
  @Publishes('now')
  async onNow(): Promise<void> {
    await this.notices.tell('at once');
    throw new Error('never');
  }
}

function shopOf(fx: BusFixture): Bus {
  const queue = { name: fx.name('orders') };
  const own = handlers([Orders], { container: container.createChildContainer() });
  return fx.bus('shop', { handlers: own.map((each) => ({ ...each, queue })) });
}

export const publishesAfterInjected: Theme = (test) => {
  test('an injected publisher is that of the attempt in which it is used, however deep; the bus itself publishes at once', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
    const bus = shopOf(fx);
    Orders.bus = bus;
    Orders.gate = deferred();
    const failed = watch(bus, 'message.retried');
    await bus.start();
    await bus.publish('order.placed', 7);
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
    assert.equal(failed.length, 1);
    assert.deepEqual(seen.keys, [
      ...['out.now', 'out.now', 'out.placed', 'out.many', 'out.told', 'out.step'],
    ]);
    Orders.gate.resolve();
    const late = await Orders.late;
    assert.ok(late instanceof AttemptOverError, String(late));
    assert.equal((await Orders.publisher?.publish('out.outside', 1))?.confirmed, true);
  });

  test('a call for many messages is of none of them: an injected publisher refuses, but in a part that is done once', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle, { concurrency: 1 }).start();
    const bus = shopOf(fx);
    const failed = watch(bus, 'message.retried');
    await bus.start();
    await bus.publish('order.many', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['out.told', 'out.own']));
    assert.deepEqual(failed, []);
  });

  test('a handler that publishes at once does so through the same injected publisher', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('office').handle('out.#', seen.handle).start();
    const bus = shopOf(fx);
    await bus.start();
    await bus.publish('order.now', 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['at once', 'at once']));
    assert.equal((await fx.deadLetters(fx.name('orders'))).length, 1);
  });
};
