import { Handles, handlers, QuietHours } from './decorators/index.js';
import { Bus, memory, type QuietHoursOptions } from './src/index.js';
import { ManualClock } from './src/testing/manual-clock.js';

/* What a user does with the option that the patch adds; the test reads what it prints. */

const night: QuietHoursOptions = { from: 22, to: 7 };
const clock = new ManualClock(Date.UTC(2026, 0, 5, 23));
const handled: string[] = [];
const note = (handler: string) => void handled.push(`${handler} at ${new Date(clock.now()).toISOString()}`);

@Handles('order.placed')
@QuietHours(night)
class Decorated {
  handle(): void {
    note('the class');
  }
}

const bus = new Bus({ service: 'shop', transport: memory({ clock }), handlers: handlers([Decorated]) })
  .handle('order.placed', () => note('the function'), { quietHours: night, queue: 'plain' })
  .handle('order.placed', () => note('another'), { queue: 'others' });
await bus.start();
await bus.publish('order.placed', {});
await clock.advance(12 * 3_600_000);
await bus.stop();

const wrong = new Bus({ service: 'shop', transport: memory() }).handle('order.placed', () => {}, {
  quietHours: { from: 24, too: 7 } as never,
});
const problem = await wrong.start().catch((error: Error) => error.message);
console.log(JSON.stringify({ handled: handled.toSorted(), problem }));
