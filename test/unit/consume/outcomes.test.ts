import assert from 'node:assert/strict';
import { z } from 'zod';
import { NoHandlerError, PayloadInvalidError, UndecodableError } from '../../../src/errors.js';
import type { MessageContext } from '../../../src/message/context.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { eventually } from '../../support/eventually.js';
import { BusBench, heard } from '../bus-bench.js';

describe('a message', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  describe('whose handler decides otherwise', () => {
    const decided = async (decide: (context: MessageContext) => unknown) => {
      const bus = bench.bus().handle('a', (_payload, context) => decide(context), { retry: { tries: 1 } });
      const released = heard(bus, 'message.released');
      const discarded = heard(bus, 'message.discarded');
      const dead = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.settle();
      return {
        released: released.length,
        discarded: discarded.length,
        dead: dead.map(({ reason }) => reason),
      };
    };

    it('comes back after a release, which is no try', async () => {
      const attempts: number[] = [];
      const bus = bench.bus().handle(
        'a',
        (_payload, context) => {
          attempts.push(context.attempt);
          if (attempts.length < 4) context.release('1m');
        },
        { retry: { tries: 1 } },
      );
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.advance(180_000);
      assert.deepEqual(attempts, [1, 1, 1, 1]);
    });

    it('is dead-lettered by fail(), and dropped by discard()', async () => {
      assert.deepEqual(await decided((context) => context.fail('not ours')), {
        released: 0,
        discarded: 0,
        dead: ['rejected'],
      });
      await bench.close();
      bench = new BusBench();
      assert.deepEqual(await decided((context) => context.discard()), {
        released: 0,
        discarded: 1,
        dead: [],
      });
    });

    it('does what was decided first; later decisions and a throw change nothing, and the throw is logged', async () => {
      const outcome = await decided((context) => {
        context.discard();
        context.fail('too late');
        context.release('1s');
        throw new Error('after the decision');
      });
      assert.deepEqual(outcome, { released: 0, discarded: 1, dead: [] });
      const [line] = bench.log;
      assert.match(line?.message ?? '', /threw after it had decided/);
      assert.match(String(line?.fields.err), /after the decision/);
    });

    it('fails with a release that no delay can carry', async () => {
      assert.deepEqual(await decided((context) => context.release('401d')), {
        released: 0,
        discarded: 0,
        dead: ['exhausted'],
      });
    });
  });

  describe('that no handler should see', () => {
    const deadReasons = async (body: string | Buffer, properties = {}) => {
      const calls: unknown[] = [];
      const schema = z.object({ id: z.number() });
      const bus = bench
        .bus({ maxBodyBytes: 1_000 })
        .handle(defineMessage('a', schema), (payload) => calls.push(payload));
      const dead = heard(bus, 'message.deadLettered');
      await bus.start();
      const raw = await bench.raw();
      await raw.session.publish({
        to: 'exchange',
        exchange: 'hopline.events',
        routingKey: 'a',
        body: Buffer.from(body as string),
        properties,
        mustRoute: true,
        deadlineMs: 1_000,
      });
      // An encoding is undone in a thread, for which this clock does not wait.
      await eventually(async () => {
        await bench.clock.settle();
        assert.equal(dead.length, 1);
      });
      await bench.clock.advance(3_600_000);
      assert.deepEqual(calls, []);
      const [letter] = await bench.deadLetters('svc');
      assert.deepEqual(letter?.body, Buffer.from(body as string), 'the original bytes are untouched');
      return dead;
    };

    for (const [what, body, properties] of [
      ['is malformed', '{"id":', {}],
      ['is empty', '', {}],
      ['is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}],
      ['has another content type', '<id/>', { contentType: 'text/xml' }],
      ['is compressed', '{"id":1}', { contentEncoding: 'gzip' }],
      ['is larger than the cap', JSON.stringify({ id: 1, pad: 'x'.repeat(1_000) }), {}],
    ] as const) {
      it(`is dead-lettered at once when its body ${what}`, async () => {
        const [dead] = await deadReasons(body as string, properties);
        assert.equal(dead?.reason, 'undecodable');
        assert.ok(dead?.error instanceof UndecodableError);
        assert.equal(dead?.attempt, 1);
      });
    }

    it('is dead-lettered at once when its shape is wrong, with the path and no value', async () => {
      const [dead] = await deadReasons('{"id":"canary"}');
      assert.equal(dead?.reason, 'invalid');
      assert.ok(dead?.error instanceof PayloadInvalidError);
      assert.match(dead.error.message, /id: /);
      assert.doesNotMatch(dead.error.message, /canary/);
    });

    it("is retried when the schema's own code breaks: that may pass", async () => {
      let broken = true;
      const schema = z.object({}).refine(async () => {
        if (broken) throw new Error('the database is down');
        return true;
      });
      const calls: number[] = [];
      const bus = bench
        .bus()
        .handle(defineMessage('a', schema), (_payload, { attempt }) => calls.push(attempt));
      await bus.start();
      await bench.publishRaw('hopline.events/a', '{}');
      await bench.clock.settle();
      broken = false;
      await bench.clock.advance(1_000);
      assert.deepEqual(calls, [2]);
    });
  });

  describe('that no handler matches', () => {
    const unhandled = async (forMs: number) => {
      const bus = bench.bus().handle('known', () => {});
      const released = heard(bus, 'message.released');
      const dead = heard(bus, 'message.deadLettered');
      await bus.start();
      const raw = await bench.raw();
      await raw.declare({ bindings: ['hopline.events -> svc: stale'] });
      await bus.publish('stale', {});
      await bench.clock.advance(forMs);
      return { released, dead };
    };

    it('comes back after 1 s, 4 s, 16 s and then every minute, while the patience lasts, then is dead-lettered', async () => {
      const { released, dead } = await unhandled(600_000);
      const pauses = released.map(({ delayMs }) => delayMs);
      assert.deepEqual(pauses, [1_000, 4_000, 16_000, ...new Array(9).fill(60_000)]);
      assert.equal(dead[0]?.reason, 'no-handler');
      assert.ok(dead[0]?.error instanceof NoHandlerError);
      assert.equal(dead[0]?.handler, undefined);
    });

    it('finds a handler that is deployed meanwhile, with all its tries', async () => {
      await unhandled(30_000);
      await bench.closeBuses();
      const attempts: number[] = [];
      const newer = bench.bus().handle('stale', (_payload, { attempt }) => {
        attempts.push(attempt);
      });
      await newer.start();
      await bench.clock.advance(60_000);
      assert.deepEqual(attempts, [1]);
    });
  });
});
