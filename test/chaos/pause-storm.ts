import { setTimeout as pause } from 'node:timers/promises';
import { HoplineError, rabbitmq } from '../../src/index.js';
import { type Control, openControl } from '../../src/operate.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { CONNECTION } from './child-setup.js';
import type { Step } from './schedule.js';
import { PREFIX, QUEUES } from './traffic.js';
import type { World } from './world.js';

/** Operators who can't make up their minds: so many times, one queue. */
const TIMES = 30;

/** What is left paused by a fault of the broker that came between must not stay so. */
const RESUME_WITHIN_MS = 120_000;

/** Pauses a queue and lets it go on, again and again; at the end it goes on, whatever became of the words before. */
export async function pauseStorm(world: World, { pick, holdMs }: Step): Promise<string> {
  const queue = QUEUES[pick % QUEUES.length] as string;
  let left = TIMES;
  let said = 0;
  while (left > 0)
    await operate(world, pick, async (control) => {
      while (left > 0) {
        left -= 1;
        await control.pause(queue);
        await pause(holdMs / TIMES);
        await control.resume(queue);
        said += 1;
      }
    });
  const resumed = () => operate(world, pick, (control) => control.resume(queue));
  await eventually(resumed, { timeout: RESUME_WITHIN_MS, interval: 1_000 });
  return `${queue}, ${said} of ${TIMES} times`;
}

/** False if the broker, which others fault meanwhile, did not take it. */
async function operate(
  world: World,
  pick: number,
  say: (control: Control) => Promise<unknown>,
): Promise<boolean> {
  let control: Control | undefined;
  try {
    const transport = rabbitmq({ url: world.urls(pick), ...CONNECTION });
    control = await openControl({ transport, prefix: PREFIX, wait: '50ms', log: silentLogger });
    await say(control);
    return true;
  } catch (error) {
    if (error instanceof HoplineError) return false;
    throw error;
  } finally {
    await control?.close();
  }
}
