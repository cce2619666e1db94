import { PublishRejectedError, UnroutableError } from '../../errors.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { noticeQueues } from './end-watch.js';
import { encodeNotices, type JobNotice } from './notices.js';

export interface TellerOptions {
  readonly session: Pick<Session, 'publish'>;
  readonly names: Pick<Names, 'control'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Most ends in one message. */
const TOGETHER = 500;

/** Longest result that is told, in characters: whoever waits asks the store for a longer one. */
const MOST_TEXT = 8_192;

/** Deadline of a message with ends: the store knows them, and is asked. */
const TELL_MS = 5_000;

/** Milliseconds for which nothing is told once the broker has refused it: each refusal costs the process its channel. */
const QUIET_MS = 600_000;

/** Tells the processes that have sent jobs how these ended, those of one turn of the event loop together. Best effort: nothing waits for it. */
export class Teller {
  private waiting = new Map<string, JobNotice[]>();
  private quietUntil = Number.NEGATIVE_INFINITY;
  private hasWarned = false;

  constructor(private readonly options: TellerOptions) {}

  /** @param address as the job's header has it, which anybody may have written */
  tell(address: string, notice: JobNotice): void {
    const { names, clock } = this.options;
    if (!address.startsWith(noticeQueues(names)) || clock.monotonic() < this.quietUntil) return;
    const told = (notice.result?.length ?? 0) > MOST_TEXT ? withoutResult(notice) : notice;
    const list = this.waiting.get(address);
    if (list) list.push(told);
    else this.waiting.set(address, [told]);
    if (this.waiting.size === 1 && !list) setImmediate(() => this.flush());
  }

  private flush(): void {
    const { waiting } = this;
    this.waiting = new Map();
    for (const [address, notices] of waiting)
      for (let from = 0; from < notices.length; from += TOGETHER)
        void this.send(address, notices.slice(from, from + TOGETHER));
  }

  /** Never rejects. */
  private async send(address: string, notices: readonly JobNotice[]): Promise<void> {
    const { session, clock, log } = this.options;
    try {
      await session.publish({
        ...{ to: 'reply', address, mustRoute: false, deadlineMs: TELL_MS },
        body: encodeNotices(notices),
        properties: { contentType: 'application/json', deliveryMode: 1 },
      });
    } catch (error) {
      const isRefused = error instanceof PublishRejectedError || error instanceof UnroutableError;
      if (isRefused) this.quietUntil = clock.monotonic() + QUIET_MS;
      log[isRefused && !this.hasWarned ? 'warn' : 'debug'](
        { error },
        'how jobs have ended could not be told to the process that has sent them, which asks the store: if it was refused, the user needs write on amq.default',
      );
      this.hasWarned ||= isRefused;
    }
  }
}

const withoutResult = ({ id, state }: JobNotice): JobNotice => ({ id, state, isPartial: true });
