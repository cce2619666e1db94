import { randomUUID } from 'node:crypto';
import {
  type DeadLetterNotice,
  NOTICES,
  noticeIn,
  noticesFor,
} from '../../message/wire/dead-letter-notice.js';
import type { Names } from '../../topology/names.js';
import type { Listening } from '../../transport/operator-session.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';

/** Workers are asked for so long at once, and asked again some time before that is over. */
const ASKED_MS = 60_000;
const ASK_EVERY_MS = 20_000;
const PUBLISH_MS = 5_000;
/** Notices that may wait in the broker for this process: one that is stopped must not fill it. */
const MOST_WAITING = 10_000;

/** Hears of dead letters from the workers that give them up, for as long as it is kept up. */
export class NoticeHearing {
  private listening: Listening | undefined;
  private askedAt = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(
    private readonly session: Pick<Session, 'listen' | 'publish'>,
    private readonly names: Names,
    private readonly clock: Clock,
    private readonly heard: (notice: DeadLetterNotice) => void,
  ) {}

  /**
   * Listens, and asks the workers again if it is time to. Never rejects: without notices, as where no worker has ever run, the counts of
   * the queues say that letters have come.
   *
   * @returns true if workers have told of nothing for a while, since nobody kept it up: letters may have come unheard
   */
  async keepUp(): Promise<boolean> {
    const now = this.clock.monotonic();
    const sinceMs = now - this.askedAt;
    if (this.isClosed || sinceMs < ASK_EVERY_MS) return false;
    this.askedAt = now;
    try {
      this.listening ??= await this.listen();
      if (this.isClosed) await this.close();
      else await this.ask();
    } catch {
      this.askedAt = Number.NEGATIVE_INFINITY;
    }
    return sinceMs > ASKED_MS;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const { listening } = this;
    this.listening = undefined;
    await listening?.close();
  }

  private listen(): Promise<Listening> {
    const { control, controlTo } = this.names;
    const source = { exchange: controlTo, key: NOTICES, atMost: MOST_WAITING };
    return this.session.listen(
      { ...source, queueName: () => `${control}.${randomUUID()}` },
      {
        heard: (message) => {
          const notice = noticeIn(message);
          if (notice) this.heard(notice);
        },
        back: () => {},
      },
    );
  }

  private async ask(): Promise<void> {
    await this.session.publish({
      to: 'exchange',
      exchange: this.names.control,
      routingKey: '',
      body: noticesFor(ASKED_MS),
      properties: { contentType: 'application/json' },
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    });
  }
}
