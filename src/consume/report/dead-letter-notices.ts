import type { OutgoingMessage } from '../../message/message.js';
import { NOTICES, noticeOf } from '../../message/wire/dead-letter-notice.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';

/** Notices under way at once. Further ones are left out: whoever counts the letters finds that some are missing, and reads them. */
const MOST_UNDER_WAY = 100;
const PUBLISH_MS = 5_000;
/** Most milliseconds that one request asks for. */
const MOST_MS = 120_000;

/** Tells of dead letters while somebody has asked for it. Costs a comparison per dead letter while nobody has. */
export class DeadLetterNotices {
  /** Monotonic milliseconds. */
  private until = Number.NEGATIVE_INFINITY;
  private underWay = 0;

  constructor(
    private readonly session: Pick<Session, 'publish'>,
    private readonly names: Pick<Names, 'controlTo'>,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  askedFor(forMs: number): void {
    this.until = Math.max(this.until, this.clock.monotonic() + Math.min(forMs, MOST_MS));
  }

  /** Called when the letter is confirmed. Never throws, and nobody waits for it. */
  tell(letter: OutgoingMessage, deadQueue: string): void {
    if (this.clock.monotonic() >= this.until || this.underWay >= MOST_UNDER_WAY) return;
    this.underWay += 1;
    void this.publish(letter, deadQueue)
      .catch(() => {})
      .finally(() => {
        this.underWay -= 1;
      });
  }

  private async publish(letter: OutgoingMessage, deadQueue: string): Promise<void> {
    await this.session.publish({
      to: 'exchange',
      exchange: this.names.controlTo,
      routingKey: NOTICES,
      ...noticeOf(letter, deadQueue),
      mustRoute: false,
      deadlineMs: PUBLISH_MS,
    });
  }
}
