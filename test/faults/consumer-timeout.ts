import type { PrivateNode } from '../support/broker/index.js';

/** Lets the broker wait no longer than this for an ack while `work` goes on. It looks three times a second. */
export async function withConsumerTimeout<T>(
  node: PrivateNode,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const set = (timeout: number, tick: number) =>
    node.ctl(
      'eval',
      `application:set_env(rabbit, consumer_timeout, ${timeout}), application:set_env(rabbit, channel_tick_interval, ${tick}).`,
    );
  await set(timeoutMs, 300);
  try {
    return await work();
  } finally {
    await set(1_800_000, 60_000);
  }
}
