import { PACK_CONTENT_TYPE, unpacked } from '../../message/wire/pack.js';
import type { ReplayReport } from '../../message/wire/replay-report.js';
import type { Session } from '../../transport/transport.js';
import { type Act, Acting, type ActingOptions } from '../acting/acting.js';
import { Pace } from '../acting/pace.js';
import { retrier } from '../acting/retry.js';
import { Search } from '../acting/search.js';
import { intoTrash, outOfTrash } from '../acting/trash.js';
import { fingerprintOf } from '../groups/fingerprint.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import type { FailuresSettings } from '../options.js';
import type { OneAtATime } from '../reading/one-at-a-time.js';
import { Canary, type CanaryEnd } from './canary.js';
import { type ChosenLetter, canaryProblem } from './chosen.js';
import type { KeptOperation } from './kept-operations.js';
import { hearReports } from './reports.js';

export interface WorkParts {
  readonly session: Session;
  readonly settings: FailuresSettings;
  /** Shared with whatever else takes letters of these queues in this process. */
  readonly turns: Pick<OneAtATime, 'run'>;
  /** Told which letters have left their queue, now and then: one id for each letter. */
  left(deadQueue: string, ids: Iterable<string>): void;
}

/** What the run of an operation decides. */
export interface WorkControl {
  /** Aborts when no further letter is to begin. */
  readonly signal: AbortSignal;
  stop(why: string): void;
}

/** What an operation does with its letters, queue by queue. */
export class Work {
  done = 0;
  failed = 0;
  /** Error of the first letter that stays. */
  failure: Error | undefined;
  canary: Canary | undefined;
  private readonly byId: ReadonlyMap<string, ChosenLetter>;
  /** Letters that have left their queue, and of which nobody was told yet. */
  private readonly gone = new Map<string, string[]>();

  constructor(
    private readonly parts: WorkParts,
    private readonly its: KeptOperation,
    private readonly letters: readonly ChosenLetter[],
    private readonly control: WorkControl,
  ) {
    this.byId = new Map(letters.map((letter) => [letter.id, letter]));
  }

  async run(): Promise<void> {
    const { kind, rate } = this.its;
    if (kind === 'canary') return await this.asCanary();
    const pace = new Pace(this.parts.settings.transport.clock, rate);
    await this.actOnAll(this.act(), { pace });
  }

  /** What is done with each letter. */
  private act(): Act {
    const { session, settings } = this.parts;
    const { kind, to, by } = this.its;
    if (kind === 'forget') return intoTrash(session, settings, by);
    if (kind === 'restore') return outOfTrash(session, settings);
    return retrier(settings, session, to);
  }

  /** Tells which letters have left. */
  tellLeft(): void {
    for (const [queue, ids] of this.gone) this.parts.left(queue, ids);
    this.gone.clear();
  }

  private async asCanary(): Promise<void> {
    const { its, parts, letters, control } = this;
    const { session, settings } = parts;
    const { clock } = settings.transport;
    const problem = await canaryProblem(session, letters, settings.isOther);
    if (problem) return control.stop(problem);
    const replay = retrier(settings, session, 'queue', { mark: { id: its.id } });
    const canary = new Canary({
      ...{ clock, pace: new Pace(clock, its.rate), reportWithinMs: its.reportWithinMs, before: its.canary },
      stop: (why) => control.stop(why),
    });
    this.canary = canary;
    const listening = await hearReports(session, settings.names, its.id, {
      heard: (report) => canary.heard(report.messageId, this.endOf(report), errorOf(report)),
      back: () => canary.missed(),
    });
    try {
      await this.actOnAll(
        async (letter) => {
          const id = replayedId(letter);
          canary.sent(id, reportsOf(letter));
          await replay(letter).catch((error) => {
            canary.notSent(id);
            throw error;
          });
        },
        // What has come back from it is another failure of the same letter.
        { pace: canary, isMeant: (letter) => letter.replay !== its.id },
      );
      await canary.finish(control.signal);
    } finally {
      await listening.close();
    }
  }

  private async actOnAll(one: Act, options: Pick<ActingOptions, 'pace' | 'isMeant'>): Promise<void> {
    const { letters, parts, control } = this;
    const { session, settings, turns } = parts;
    const act: Act = async (letter) => {
      await one(letter);
      const { deadQueue, id } = letter;
      const gone = this.gone.get(deadQueue);
      if (gone) gone.push(id);
      else this.gone.set(deadQueue, [id]);
    };
    for (const queue of new Set(letters.map(({ deadQueue }) => deadQueue))) {
      if (control.signal.aborted) return;
      const before = { done: this.done, failed: this.failed };
      const search = new Search(session, settings.transport.clock);
      const acting = new Acting(session, settings, act, {
        ...{ ...options, search, signal: control.signal },
        onProgress: ({ done, failed }) => {
          this.done = before.done + done;
          this.failed = before.failed + failed;
        },
      });
      const its = letters.filter(({ deadQueue }) => deadQueue === queue);
      const { failed, gone } = await turns.run(queue, async () => {
        try {
          return await acting.on(its);
        } finally {
          // Before anybody else of this process reads the queue: what has come back meanwhile has the same id.
          this.tellLeft();
        }
      });
      this.failure ??= failed[0]?.error;
      if (gone > 0 && search.isInOtherHands)
        control.stop(
          `${gone} ${gone === 1 ? 'letter was' : 'letters were'} not found while others read '${queue}': begin again when nobody else consumes it`,
        );
    }
  }

  /**
   * A letter from before the upgrade does not name its handler: it is known by the routing key alone. One for whose headers there was no
   * room is without its stack, which the report always has.
   */
  private endOf({ end, messageId, ...failure }: ReplayReport): CanaryEnd {
    // It is gone, and nothing was done.
    if (end === 'discarded') return 'otherwise';
    if (end !== 'dead-lettered') return 'handled';
    const letter = this.byId.get(messageId);
    if (letter?.group === undefined) return 'otherwise';
    const { error, reason = 'unknown', routingKey, queue } = failure;
    const { deadQueue, group } = letter;
    const isSame = [failure.handler, undefined].some((handler) =>
      [failure.stack, undefined].some(
        (stack) =>
          fingerprintOf({ error, stack, reason, routingKey, queue, deadQueue, handler }).id === group,
      ),
    );
    return isSame ? 'back' : 'otherwise';
  }
}

const errorOf = ({ end, error, reason }: ReplayReport): string | undefined =>
  end === 'discarded' ? 'it was discarded, by its handler or its policy' : (error ?? reason);

/** Each message of a pack is reported on. */
function reportsOf({ properties, body }: DeadLetter): number {
  if (properties.contentType !== PACK_CONTENT_TYPE) return 1;
  try {
    return unpacked(body).length;
  } catch {
    return 1;
  }
}

/** The id that its replay has: one without an id gets the one under which it was listed. */
const replayedId = ({ id, properties }: DeadLetter): string => properties.messageId ?? id;
