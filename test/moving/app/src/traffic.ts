import { setTimeout as pause } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import * as golevelup from './golevelup/index.js';
import * as hopline from './hopline/index.js';

/** How it goes: an order of each library, then a question of each. */
const EVERY_MS = 10;

/** What has come of it, as the test is told. */
export interface Traffic {
  readonly placed: readonly number[];
  readonly quoted: readonly number[];
  /** Everything that was not as it should be. */
  readonly wrong: readonly string[];
}

/** Places orders and asks for quotes with both libraries from `{ traffic: 'start' }` on, until `{ traffic: 'stop' }`. */
export function serveTraffic(app: INestApplicationContext): void {
  let going = false;
  let ended: Promise<Traffic>;
  process.on('message', ({ traffic }: { traffic?: 'start' | 'stop' }) => {
    if (traffic === 'start') {
      going = true;
      ended = run(app, () => going);
    }
    if (traffic === 'stop') {
      going = false;
      void ended.then((result) => process.send?.(result));
    }
  });
}

async function run(app: INestApplicationContext, isGoing: () => boolean): Promise<Traffic> {
  const checkouts = [app.get(golevelup.Checkout), app.get(hopline.Checkout)];
  const placed: number[] = [];
  const quoted: number[] = [];
  const wrong: string[] = [];
  const all: Promise<unknown>[] = [];
  const watch = (what: string, work: Promise<unknown>): void => {
    all.push(work.catch((error) => wrong.push(`${what}: ${error}`)));
  };
  for (let id = 1; isGoing(); id += 1) {
    const checkout = checkouts[id % 2] as golevelup.Checkout | hopline.Checkout;
    placed.push(id);
    watch(`order ${id}`, checkout.place({ id, cents: id * 100 }));
    quoted.push(id);
    watch(
      `quote ${id}`,
      checkout.quote({ id, cents: id * 100 }).then((quote) => {
        if (quote.id !== id || quote.total !== id * 200) wrong.push(`quote ${id}: ${JSON.stringify(quote)}`);
      }),
    );
    await pause(EVERY_MS);
  }
  await Promise.all(all);
  return { placed, quoted, wrong };
}
