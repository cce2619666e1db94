import assert from 'node:assert/strict';
import { container, injectable } from 'tsyringe';
import { Handles, handlers } from '../../../decorators/index.js';
import { ContextOutsideMessageError } from '../../../src/errors.js';
import { MessageContext } from '../../../src/message/context.js';
import { Publisher } from '../../../src/message/publisher.js';
import { BusBench } from '../bus-bench.js';
import { own, published, refusal } from './support.js';

describe("injection of Hopline's own tokens", () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  describe('of the message context', () => {
    it("works in a class that is built for each message, and in that class's dependencies", async () => {
      const seen: string[] = [];
      @injectable()
      class Audit {
        constructor(private readonly context: MessageContext) {}

        note(word: string) {
          seen.push(`${word} ${this.context.messageId} ${this.context.attempt}`);
        }
      }
      @Handles('a', { scope: 'message' })
      class Scoped {
        constructor(
          private readonly context: MessageContext,
          private readonly audit: Audit,
        ) {}

        handle(_payload: unknown, context: MessageContext) {
          assert.equal(context, this.context);
          this.audit.note('handled');
          if (context.attempt < 2) throw new Error('failed');
        }
      }
      const bus = await bench.started({
        handlers: handlers([Scoped], { container: own() }),
        retry: { backoff: '1s' },
      });
      for (const messageId of ['m1', 'm2']) await bus.publish('a', {}, { messageId });
      await bench.clock.advance(1_000);
      assert.deepEqual(seen, ['handled m1 1', 'handled m2 1', 'handled m1 2', 'handled m2 2']);
    });

    it('builds nothing at start for such a class, and runs failed() on the instance that failed', async () => {
      const made: object[] = [];
      const failed: object[] = [];
      @Handles('a', { scope: 'message' })
      class Scoped {
        constructor(_context: MessageContext) {
          made.push(this);
        }

        handle() {
          throw new Error('failed');
        }

        failed() {
          failed.push(this);
        }
      }
      const bus = await bench.started({
        handlers: handlers([Scoped], { container: own() }),
        retry: { tries: 1 },
      });
      assert.equal(made.length, 0);
      await published(bench, bus, 'a', 'a');
      assert.equal(made.length, 2);
      assert.deepEqual(failed, made);
    });

    it('outside a message is an error at start that names the class, however deep it is injected', async () => {
      @injectable()
      class Audit {
        constructor(readonly context: MessageContext) {}
      }
      @Handles('a')
      class Direct {
        constructor(readonly context: MessageContext) {}

        handle() {}
      }
      @Handles('b')
      class Deep {
        constructor(readonly audit: Audit) {}

        handle() {}
      }
      for (const target of [Direct, Deep]) {
        const error = await refusal(bench, target);
        assert.ok(error instanceof ContextOutsideMessageError, String(error));
        assert.ok(error.message.includes(`into ${target.name}`), error.message);
        assert.match(error.help, /scope: 'message'/);
      }
    });
  });

  describe('of the publisher', () => {
    @injectable()
    class Outbox {
      constructor(private readonly publisher: Publisher) {}

      tell(key: string) {
        return this.publisher.publish(key, { from: 'outbox' });
      }
    }

    it('gives dependencies what to publish with, through the bus that was started', async () => {
      const heard: unknown[] = [];
      @Handles('a')
      class Teller {
        constructor(private readonly outbox: Outbox) {}

        handle() {
          return this.outbox.tell('b');
        }
      }
      const bus = bench.bus({ handlers: handlers([Teller], { container: own() }) });
      bus.handle('b', (payload) => heard.push(payload));
      await bus.start();
      await published(bench, bus, 'a');
      assert.deepEqual(heard, [{ from: 'outbox' }]);
    });

    it('is the bus of its own for each of two buses in one process, even with one container', async () => {
      const seen: [string, Publisher][] = [];
      @Handles('a')
      class Keeper {
        constructor(readonly publisher: Publisher) {}

        handle(_payload: unknown, { queue }: MessageContext) {
          seen.push([queue, this.publisher]);
        }
      }
      const shared = own();
      for (const [one, two] of [
        [own(), own()],
        [shared, shared],
      ] as const) {
        seen.length = 0;
        const first = await bench.started({
          service: 'first',
          handlers: handlers([Keeper], { container: one }),
        });
        const second = await bench.started({
          service: 'second',
          handlers: handlers([Keeper], { container: two }),
        });
        await published(bench, first, 'a');
        assert.deepEqual(
          new Map(seen),
          new Map<string, Publisher>([
            ['first.Keeper', first],
            ['second.Keeper', second],
          ]),
        );
        await bench.closeBuses();
      }
    });

    it("does not leak into the caller's container, nor into tsyringe's global one", async () => {
      @Handles('a')
      class Quiet {
        handle() {}
      }
      const mine = own();
      await bench.started({ handlers: handlers([Quiet], { container: mine }) });
      assert.equal(mine.isRegistered(Publisher as never, true), false);
      assert.equal(container.isRegistered(Publisher as never, true), false);
    });
  });
});
