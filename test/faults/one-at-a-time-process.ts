import { setTimeout as pause } from 'node:timers/promises';
import { Bus, rabbitmq } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';

/*
 * A worker that handles one message of an account at a time, until it is killed: `one-at-a-time-process.js URL PREFIX REDIS`. It tells of
 * each run with the machine's monotonic clock, before it begins and when it has ended.
 */

/** A message, and whether it is the one that holds its account until its process is killed. */
export interface Booking {
  readonly account: string;
  readonly number: number;
  readonly holds?: boolean;
}

export interface Moment {
  readonly account: string;
  readonly number: number;
  readonly what: 'began' | 'ended';
  /** Monotonic milliseconds of the machine. */
  readonly at: number;
}

const [url, prefix, redisUrl] = process.argv.slice(2) as [string, string, string];
const client = new Redis(redisUrl);
const bus = new Bus({
  service: `${prefix}-booker`,
  prefix,
  transport: rabbitmq({ url }),
  stores: redisStores({ client, keyPrefix: prefix }),
  operatorControl: false,
  timeoutGrace: 0,
});

function tell({ account, number }: Booking, what: Moment['what']): void {
  process.send?.({ account, number, what, at: Number(process.hrtime.bigint()) / 1e6 } satisfies Moment);
}

bus.handle(
  'book',
  async (booking: Booking, { redelivered }) => {
    tell(booking, 'began');
    await pause(booking.holds && !redelivered ? 60_000 : 5);
    tell(booking, 'ended');
  },
  {
    queue: { name: `${prefix}.bookings` },
    concurrency: { limit: 1, by: ({ account }: Booking) => account },
    timeout: '2s',
    retry: { tries: 1 },
  },
);

await bus.start();
process.send?.('started');
process.on('disconnect', () => process.exit(0));
