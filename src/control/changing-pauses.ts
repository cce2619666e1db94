import type { QueueState } from '../transport/operator-session.js';
import type { Answers, Asking } from './asking.js';
import type { ControlSettings } from './options.js';
import type { Orders } from './orders.js';
import type { PauseResult } from './results.js';

export interface ChangingPausesParts {
  readonly settings: ControlSettings;
  readonly asking: Asking;
  readonly orders: Orders;
  /** @throws OptionsError if there is no such queue */
  existing(queue: string): Promise<QueueState>;
}

/** Changes the list of paused queues, and tells all workers. */
export class ChangingPauses {
  constructor(private readonly parts: ChangingPausesParts) {}

  /** @param state of the queue, if it is known that there is one */
  async change(
    queue: string,
    change: (paused: readonly string[]) => string[],
    state?: QueueState,
  ): Promise<PauseResult> {
    const { consumers, paused, answers: processes } = await this.write(queue, change, state);
    const by = new Set(processes.flatMap((each) => each.pausedBy ?? []));
    return { processes, consumers, paused, pausedBy: paused.filter((name) => by.has(name)) };
  }

  private async write(
    queue: string,
    change: (paused: readonly string[]) => string[],
    state: QueueState | undefined,
  ) {
    const { settings, asking, orders, existing } = this.parts;
    const { waitMs } = settings;
    let consumers = 0;
    let said: Answers | undefined;
    const { paused } = await orders.change(
      async (before) => {
        if (!before.paused.includes(queue)) ({ consumers } = state ?? (await existing(queue)));
        return { ...before, paused: change(before.paused) };
      },
      // Published within the lock, so that all workers hear the changes in the order in which they were
      // written.
      async (after) => {
        said = await asking.say({ ask: 'pauses', paused: after.paused, queue }, { waitMs });
      },
    );
    return { consumers, paused, answers: (await said?.answers) ?? [] };
  }
}
