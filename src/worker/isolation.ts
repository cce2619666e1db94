import { createHash } from 'node:crypto';
import type { CrashVerdict, CrashWatch, WatchedSlots } from '../consume/attempt/crash-watch.js';
import type { Received } from '../pipeline/received.js';
import { type Clock, systemClock, type Timer } from '../util/clock.js';
import type { AboutSuspect, Answer, Trial } from './protocol.js';

/** Interval of checks whether other handlers still run. */
const LOOK_EVERY_MS = 10;

/**
 * Time for acks to be written, in the next turns of the event loop. If the process dies before that, their
 * messages come back.
 */
const LINGER_MS = 20;

/** Time after which a supervisor that does not answer is no longer waited for. */
const ANSWER_WITHIN_MS = 5_000;

interface Asked {
  readonly number: number;
  readonly unanswered: Timer;
  readonly received: Received;
  readonly resolve: (verdict: CrashVerdict) => void;
}

interface Waiting extends Asked {
  readonly trial: Trial;
  readonly since: number;
}

/**
 * A worker's part in finding the message that kills its process. It asks the supervisor before a redelivered
 * message begins, and starts the message alone if the answer says so. While a message waits for that, no other
 * begins, of any queue.
 */
export class Isolation implements CrashWatch {
  private readonly slots: WatchedSlots[] = [];
  private readonly asked = new Map<number, Asked>();
  /** Messages that wait to begin alone. */
  private waiting: Waiting[] = [];
  /** Messages that may begin when none waits to begin alone any more. */
  private later: Asked[] = [];
  private readonly begun = new Map<Received, number>();
  private alone: Asked | undefined;
  private numbers = 0;
  private window: Timer | undefined;
  private looking: Timer | undefined;
  /** Message that begins after the silence, and the moment since when nothing runs. */
  private next: Waiting | undefined;
  private quietAt = 0;
  private isStill = false;
  private isStopping = false;

  /**
   * @param send sends a message to the supervisor
   * @param sent called when the message can't be lost by this process's end any more
   */
  constructor(
    private readonly send: (message: AboutSuspect, sent?: () => void) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  watch(slots: WatchedSlots): void {
    this.slots.push(slots);
  }

  begins(received: Received): Promise<CrashVerdict> {
    if (this.isStopping) return Promise.resolve({ kind: 'return' });
    this.numbers += 1;
    const number = this.numbers;
    const { messageId, delivery } = received;
    return new Promise((resolve) => {
      const unanswered = this.clock.setTimer(() => this.answer({ kind: 'go', number }), ANSWER_WITHIN_MS);
      this.asked.set(number, { number, unanswered, received, resolve });
      this.send({ kind: 'begins', number, queue: delivery.queue, messageId, digest: digestOf(received) });
    });
  }

  /** Handles the supervisor's answer. */
  answer(answer: Answer): void {
    const asked = this.asked.get(answer.number);
    if (!asked) return;
    this.asked.delete(answer.number);
    asked.unanswered.cancel();
    if (answer.kind === 'crashed') this.resolve(asked, { kind: 'crashed', deaths: answer.deaths });
    else if (answer.kind === 'alone') {
      this.waiting.push({ ...asked, trial: answer, since: this.clock.monotonic() });
      this.keepStill(true);
    } else this.later.push(asked);
    this.look();
  }

  ended(received: Received): void {
    const number = this.begun.get(received);
    if (number === undefined) return;
    this.begun.delete(received);
    const isSettled = !received.delivery.lost;
    this.clock.setTimer(() => {
      this.send({ kind: 'ended', number, isSettled }, () => this.isNotAlone(number));
    }, LINGER_MS);
  }

  stop(): void {
    this.isStopping = true;
    const left = [...this.asked.values(), ...this.waiting.splice(0), ...this.later.splice(0)];
    this.asked.clear();
    for (const asked of left) {
      asked.unanswered.cancel();
      this.send({ kind: 'ended', number: asked.number, isSettled: false });
      asked.resolve({ kind: 'return' });
    }
    this.isNotAlone(this.alone?.number);
  }

  private resolve(asked: Asked, verdict: CrashVerdict): void {
    this.begun.set(asked.received, asked.number);
    asked.resolve(verdict);
  }

  /** Others may begin: the supervisor must not blame this message for what follows. */
  private isNotAlone(number: number | undefined): void {
    if (this.alone?.number === number) {
      this.window?.cancel();
      this.alone = undefined;
    }
    this.look();
  }

  /** Starts the messages that may begin. Called after every change, and at intervals while one waits to be alone. */
  private look(): void {
    this.looking?.cancel();
    this.looking = undefined;
    if (this.alone) return;
    this.dropLost();
    if (this.waiting.length === 0) {
      for (const asked of this.later.splice(0)) this.resolve(asked, { kind: 'begin' });
      this.keepStill(false);
      return;
    }
    const first = this.waiting.reduce((best, each) => (each.trial.rank < best.trial.rank ? each : best));
    if (this.running > 0) this.waitForEnds();
    else this.waitInSilence(first);
    if (!this.alone) this.looking ??= this.clock.setTimer(() => this.look(), LOOK_EVERY_MS);
  }

  /** A message whose channel is gone needs no verdict. */
  private dropLost(): void {
    for (const asked of this.waiting.filter(({ received }) => received.delivery.lost)) {
      this.waiting = this.waiting.filter((each) => each !== asked);
      this.resolve(asked, { kind: 'begin' });
    }
  }

  private waitForEnds(): void {
    this.next = undefined;
    const now = this.clock.monotonic();
    for (const asked of this.waiting.filter(({ since, trial }) => now - since >= trial.patienceMs)) {
      this.waiting = this.waiting.filter((each) => each !== asked);
      this.send({ kind: 'beside', number: asked.number }, () => this.resolve(asked, { kind: 'begin' }));
    }
  }

  private waitInSilence(first: Waiting): void {
    const now = this.clock.monotonic();
    if (this.next !== first) {
      this.next = first;
      this.quietAt = now;
      if (first.trial.quietMs > 0) this.send({ kind: 'quiet', number: first.number });
    }
    if (now - this.quietAt < first.trial.quietMs) return;
    this.waiting = this.waiting.filter((each) => each !== first);
    this.next = undefined;
    this.alone = first;
    // The last message that this process may send.
    this.send({ kind: 'alone', number: first.number }, () => this.beginAlone(first));
  }

  private beginAlone(first: Waiting): void {
    const { number, trial } = first;
    if (this.alone === first) {
      this.window = this.clock.setTimer(() => {
        this.send({ kind: 'beside', number }, () => this.isNotAlone(number));
      }, trial.windowMs);
    }
    this.resolve(first, { kind: 'begin' });
  }

  private keepStill(isStill: boolean): void {
    if (this.isStill === isStill) return;
    this.isStill = isStill;
    for (const slots of this.slots) slots.setStill(isStill);
  }

  /** Handlers that run; messages that only wait for an answer are not counted. */
  private get running(): number {
    const begun = this.slots.reduce((sum, { running }) => sum + running, 0);
    return begun - this.asked.size - this.waiting.length - this.later.length;
  }
}

function digestOf({ delivery, exchange, routingKey }: Received): string {
  return createHash('sha1').update(`${exchange}\n${routingKey}\n`).update(delivery.body).digest('base64');
}
