import { ConnectError, OutcomeUnknownError, PublishTimeoutError, StoppedError } from '../../errors.js';
import type { ReplayReport } from '../../message/wire/replay-report.js';
import type { Session } from '../../transport/transport.js';
import { pause } from '../../util/clock.js';
import { reasonText } from '../../util/error-text.js';
import { type Act, Acting } from '../acting/acting.js';
import { Pace } from '../acting/pace.js';
import { retrier } from '../acting/retry.js';
import { fingerprintOf } from '../groups/fingerprint.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import type { FailuresSettings } from '../options.js';
import type { OneAtATime } from '../reading/one-at-a-time.js';
import { Canary, type CanaryEnd } from './canary.js';
import { type ChosenLetter, canaryProblem } from './chosen.js';
import {
  asEnded,
  isActive,
  type KeptOperation,
  type OperationsKept,
  shown,
  withChanged,
} from './kept-operations.js';
import type { Operation } from './operation.js';
import { hearReports } from './reports.js';

export interface RunParts {
  readonly session: Session;
  readonly settings: FailuresSettings;
  readonly kept: OperationsKept;
  /** Shared with whatever else takes letters of these queues in this process. */
  readonly turns: Pick<OneAtATime, 'run'>;
  /** What to do with each letter, for kinds that are no replay. */
  readonly acts: { readonly [Kind in 'forget' | 'restore']: (by: string) => Act };
  /** Told which letters have left their queue, now and then: one id for each letter. */
  left(deadQueue: string, ids: Iterable<string>): void;
}

/** How a run ends: `lost` if another process has the operation now, `released` if one is to take it on. */
type End = 'lost' | 'released' | { readonly state: 'done' | 'stopped' | 'failed'; readonly why?: string };

/** Between two signs of life, in which a wish to stop is seen as well. */
const BEAT_MS = 2_000;
const WRITE_AGAIN_MS = 1_000;
const MOST_WRITES = 3;

/** Errors that say that the broker is gone: the operation goes on when it is back, here or elsewhere. */
const NOBODY_ANSWERS = [PublishTimeoutError, OutcomeUnknownError, StoppedError, ConnectError];

/**
 * One operation, at work in this process. A process that dies between any two lines loses nothing: each letter is acked after its
 * replay is confirmed, the list in the broker keeps the operation, and whoever takes that on goes on with the letters that are left.
 * Letters whose replay was under way may be replayed twice; what a canary's replays came to meanwhile is not heard, so it begins
 * again with one letter.
 */
export class Run {
  private readonly stopping = new AbortController();
  private readonly over = new AbortController();
  private readonly byId: ReadonlyMap<string, ChosenLetter>;
  /** Letters that have left their queue, and of which nobody was told yet. */
  private readonly gone = new Map<string, string[]>();
  private canary: Canary | undefined;
  private end: End | undefined;
  private done = 0;
  private failed = 0;
  private failure: Error | undefined;
  private interruption: unknown;
  /** Settles when it has ended, and that is written; rejects if it was interrupted, and is to be taken on. */
  readonly ended: Promise<Operation>;

  constructor(
    private readonly parts: RunParts,
    private readonly its: KeptOperation,
    private readonly letters: readonly ChosenLetter[],
  ) {
    this.byId = new Map(letters.map((letter) => [letter.id, letter]));
    this.ended = this.run();
    this.ended.catch(() => {});
  }

  /** As it is now. */
  get now(): KeptOperation {
    const { its, done, failed, canary } = this;
    const isStopping = this.stopping.signal.aborted && its.state === 'running';
    return {
      ...its,
      ...(isStopping ? { state: 'stopping' } : {}),
      done: its.done + done,
      failed: its.failed + failed,
      canary: canary?.progress ?? its.canary,
    };
  }

  /** Ends it after the letters that are under way. */
  stop(why: string): void {
    this.endAs({ state: 'stopped', why });
  }

  /** Leaves it to another process. */
  release(): void {
    this.endAs('released');
  }

  private async run(): Promise<Operation> {
    const beating = this.beatOn();
    try {
      await this.work();
      this.end ??= { state: 'done', ...this.remark };
    } catch (error) {
      if (NOBODY_ANSWERS.some((kind) => error instanceof kind)) {
        this.interruption ??= error;
        this.end ??= 'released';
      } else this.end ??= { state: 'failed', why: reasonText(error) };
    }
    this.over.abort();
    await beating;
    this.tellLeft();
    return await this.writeEnd(this.end);
  }

  /** What is to be said of an operation that came to its end. */
  private get remark(): { readonly why?: string } {
    const { failure, canary } = this;
    if (failure) return { why: `some letters stay: ${reasonText(failure)}` };
    const unheard = canary?.progress.unheard ?? 0;
    return unheard === 0
      ? {}
      : { why: `what ${unheard} replays came to was not heard while its process was gone` };
  }

  private async work(): Promise<void> {
    const { its, parts } = this;
    const { session, settings } = parts;
    const { kind, to, by, rate } = its;
    if (kind === 'canary') return await this.workAsCanary();
    const act = kind === 'retry' ? retrier(settings, session, to) : parts.acts[kind](by);
    await this.actOnAll(act, new Pace(settings.transport.clock, rate));
  }

  private async workAsCanary(): Promise<void> {
    const { its, parts, letters, stopping } = this;
    const { session, settings } = parts;
    const { clock } = settings.transport;
    const problem = await canaryProblem(session, letters, settings.isOther);
    if (problem) return this.endAs({ state: 'stopped', why: problem });
    const replay = retrier(settings, session, 'queue', { id: its.id });
    const canary = new Canary({
      ...{ clock, pace: new Pace(clock, its.rate), reportWithinMs: its.reportWithinMs, before: its.canary },
      stop: (why) => this.stop(why),
    });
    this.canary = canary;
    const listening = await hearReports(session, settings.names, its.id, (report) => this.heard(report));
    try {
      await this.actOnAll(async (letter) => {
        const id = replayedId(letter);
        canary.sent(id);
        await replay(letter).catch((error) => {
          canary.notSent(id);
          throw error;
        });
      }, canary);
      await canary.finish(stopping.signal);
    } finally {
      await listening.close();
    }
  }

  private async actOnAll(one: Act, pace: Pick<Pace, 'turn'>): Promise<void> {
    const { letters, parts, stopping } = this;
    const { session, settings, turns } = parts;
    const act: Act = async (letter) => {
      await one(letter);
      const { deadQueue, id } = letter;
      const gone = this.gone.get(deadQueue);
      if (gone) gone.push(id);
      else this.gone.set(deadQueue, [id]);
    };
    for (const queue of new Set(letters.map(({ deadQueue }) => deadQueue))) {
      if (stopping.signal.aborted) return;
      const before = { done: this.done, failed: this.failed };
      const acting = new Acting(session, settings, act, {
        pace,
        signal: stopping.signal,
        onProgress: ({ done, failed }) => {
          this.done = before.done + done;
          this.failed = before.failed + failed;
        },
      });
      const its = letters.filter(({ deadQueue }) => deadQueue === queue);
      const { failed } = await turns.run(queue, () => acting.on(its));
      this.failure ??= failed[0]?.error;
    }
  }

  private heard(report: ReplayReport): void {
    const end = this.endOf(report);
    this.canary?.heard(report.messageId, end, report.error ?? report.reason);
  }

  /** A letter from before the upgrade does not name its handler: it is known by the routing key alone. */
  private endOf({ end, messageId, ...failure }: ReplayReport): CanaryEnd {
    if (end !== 'dead-lettered') return 'handled';
    const letter = this.byId.get(messageId);
    if (letter?.group === undefined) return 'otherwise';
    const { error, stack, reason = 'unknown', routingKey, queue } = failure;
    const { deadQueue, group } = letter;
    const isSame = [failure.handler, undefined].some(
      (handler) =>
        fingerprintOf({ error, stack, reason, routingKey, queue, deadQueue, handler }).id === group,
    );
    return isSame ? 'back' : 'otherwise';
  }

  /** The first word counts. */
  private endAs(end: End): void {
    this.end ??= end;
    this.stopping.abort();
  }

  private async beatOn(): Promise<void> {
    const { settings } = this.parts;
    while (!this.over.signal.aborted) {
      await pause(settings.transport.clock, BEAT_MS, this.over.signal).catch(() => {});
      if (this.over.signal.aborted) return;
      this.tellLeft();
      await this.beat().catch((error) =>
        settings.log.warn(
          { operation: this.its.id, error },
          'an operation on dead letters could not be noted',
        ),
      );
    }
  }

  private async beat(): Promise<void> {
    const { clock } = this.parts.settings.transport;
    await this.parts.kept.change((before) => {
      const kept = this.keptIn(before.operations);
      if (!kept) return before;
      if (kept.state === 'stopping') this.endAs({ state: 'stopped', why: kept.why ?? 'it was stopped' });
      const { state, why } = kept;
      const beat = kept.beat + 1;
      return withChanged(before, { ...this.now, state, why, beat, beatAt: clock.now() });
    });
  }

  /** This operation as it is kept, if it is still that of this process. */
  private keptIn(operations: readonly KeptOperation[]): KeptOperation | undefined {
    const { id, owner } = this.its;
    const kept = operations.find((each) => each.id === id);
    if (kept?.owner === owner && isActive(kept)) return kept;
    this.endAs('lost');
    return undefined;
  }

  private tellLeft(): void {
    for (const [queue, ids] of this.gone) this.parts.left(queue, ids);
    this.gone.clear();
  }

  private async writeEnd(end: End): Promise<Operation> {
    const { clock } = this.parts.settings.transport;
    const isOver = typeof end === 'object';
    // Others need not wait until its silence is noticed.
    const last = isOver ? asEnded(this.now, end.state, end.why, clock.now()) : { ...this.now, beatAt: 0 };
    for (let writes = 1; end !== 'lost'; writes += 1) {
      try {
        await this.parts.kept.change((before) => {
          const kept = this.keptIn(before.operations);
          return kept ? withChanged(before, isOver ? last : { ...last, state: kept.state }) : before;
        });
        break;
      } catch (error) {
        // Its silence tells the others that it is abandoned.
        if (writes === MOST_WRITES || this.interruption !== undefined) {
          this.interruption ??= error;
          break;
        }
        await pause(clock, WRITE_AGAIN_MS);
      }
    }
    if (this.interruption !== undefined) throw this.interruption;
    return shown(last, clock.now());
  }
}

/** The id that its replay has: one without an id gets the one under which it was listed. */
const replayedId = ({ id, properties }: DeadLetter): string => properties.messageId ?? id;
