import { asksFirst } from '../../../src/consume/attempt/crash-watch.js';
import { Gate } from '../../../src/consume/intake/gate.js';
import { Pause } from '../../../src/consume/intake/pause.js';
import type { ConsumerEvents } from '../../../src/consume/report/consumer-events.js';
import type { Work } from '../../../src/pipeline/work.js';
import type { Clock, Timer } from '../../../src/util/clock.js';
import { Isolation } from '../../../src/worker/isolation.js';
import { Suspects } from '../../../src/worker/suspects.js';
import { handler, TestDelivery, workFor } from '../consume/fixtures.js';

export interface TestMessage {
  readonly id: string;
  readonly runMs: number;
  /** It ends its process so long after it has begun. */
  readonly killsAfterMs?: number | undefined;
  /** What it leaves behind ends the process so long after it has ended itself. */
  readonly leavesMs?: number | undefined;
}

export interface CrashWorldOptions {
  readonly messages: readonly TestMessage[];
  readonly processes: number;
  readonly concurrency: number;
  /** Processes die by themselves at this age, the first so many of them. */
  readonly flaw?: { readonly ageMs: number; readonly processes: number } | undefined;
}

const RESTARTED_AFTER_MS = 200;
const CRASHES = 3;

/** Time that goes from timer to timer. */
class Steps implements Clock {
  time = 0;
  private timers: { readonly at: number; readonly task: () => void }[] = [];

  now = () => this.time;
  monotonic = () => this.time;

  setTimer(task: () => void, delayMs: number): Timer {
    const timer = { at: this.time + delayMs, task };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((each) => each !== timer);
      },
    };
  }

  async step(): Promise<boolean> {
    const next = this.timers.reduce<(typeof this.timers)[0] | undefined>(
      (first, each) => (first && first.at <= each.at ? first : each),
      undefined,
    );
    if (!next) return false;
    this.timers = this.timers.filter((each) => each !== next);
    this.time = next.at;
    next.task();
    for (let turn = 0; turn < 4; turn += 1) await undefined;
    return true;
  }
}

/** A queue, the processes that consume it, and the supervisor that starts them again: only the processes are made up. */
export class CrashWorld {
  readonly clock = new Steps();
  readonly crashed: string[] = [];
  readonly done: string[] = [];
  deaths = 0;
  started = 0;
  readonly suspects = new Suspects(CRASHES, this.clock.now);
  readonly queue: { readonly message: TestMessage; readonly redelivered: boolean }[];

  constructor(readonly options: CrashWorldOptions) {
    this.queue = options.messages.map((message) => ({ message, redelivered: false }));
  }

  /** Until all messages have ended; resolves with false if that takes too long. */
  async run(withinMs: number): Promise<boolean> {
    for (let count = 0; count < this.options.processes; count += 1) this.start();
    while (this.crashed.length + this.done.length < this.options.messages.length)
      if (this.clock.time > withinMs || !(await this.clock.step())) return false;
    return true;
  }

  start(): void {
    this.started += 1;
    const { flaw } = this.options;
    const process = new CrashingProcess(this);
    if (flaw && this.started <= flaw.processes) this.clock.setTimer(() => process.die(), flaw.ageMs);
    process.consume();
  }
}

class CrashingProcess {
  private isDead = false;
  private readonly here = new Map<Work, TestMessage>();
  private readonly isolation: Isolation;
  private readonly gate: Gate;

  constructor(private readonly world: CrashWorld) {
    const { clock, suspects, options } = world;
    this.isolation = new Isolation((message, sent) => {
      if (this.isDead) return;
      const answer = suspects.receive(this, message);
      clock.setTimer(() => {
        if (this.isDead) return;
        if (answer) this.isolation.answer(answer);
        sent?.();
      }, 1);
    }, clock);
    const pause = new Pause({ paused() {}, resumed() {} } as unknown as ConsumerEvents);
    const start = (work: Work) => void this.begin(work);
    this.gate = new Gate({ limit: options.concurrency, start, pause });
    pause.governs([], () => this.gate.pump());
    this.isolation.watch(this.gate);
    suspects.ready(this);
  }

  /** Fetches as many as it may have. */
  consume(): void {
    while (!this.isDead && this.here.size < this.world.options.concurrency * 2) {
      const next = this.world.queue.shift();
      if (!next) return;
      const { message, redelivered } = next;
      const delivery = new TestDelivery({ redelivered, properties: { messageId: message.id } });
      const work = workFor(handler('any', ['#']), delivery);
      this.here.set(work, message);
      this.gate.push(work);
    }
  }

  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.world.deaths += 1;
    this.world.suspects.died(this, 'exit code 1');
    this.world.queue.unshift(...[...this.here.values()].map((message) => ({ message, redelivered: true })));
    this.world.clock.setTimer(() => this.world.start(), RESTARTED_AFTER_MS);
  }

  private async begin(work: Work): Promise<void> {
    const message = this.here.get(work) as TestMessage;
    const { clock, crashed, done } = this.world;
    const verdict = asksFirst(work) ? await this.isolation.begins(work.received) : undefined;
    if (this.isDead) return;
    if (verdict?.kind === 'crashed') {
      crashed.push(message.id);
      this.end(work);
      return;
    }
    const { runMs, killsAfterMs, leavesMs } = message;
    if (killsAfterMs !== undefined && killsAfterMs < runMs) clock.setTimer(() => this.die(), killsAfterMs);
    else
      clock.setTimer(() => {
        if (this.isDead) return;
        done.push(message.id);
        if (leavesMs !== undefined) clock.setTimer(() => this.die(), leavesMs);
        this.end(work);
      }, runMs);
  }

  private end(work: Work): void {
    this.here.delete(work);
    this.isolation.ended(work.received);
    this.gate.done(work);
    this.consume();
  }
}
