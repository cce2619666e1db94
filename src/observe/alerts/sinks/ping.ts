import type { Clock, Timer } from '../../../util/clock.js';
import type { Duration } from '../../../util/duration.js';
import type { Logger } from '../../../util/logger.js';
import { HttpAddress } from './http.js';

/** A dead man's switch: an address that is called while all is looked at, and whose owner notices when the calls end. */
export interface PingOptions {
  /** Address, asked with GET. */
  url: string;
  /** Time between two calls. @default '1m' */
  every?: Duration;
}

/** @internal */
export interface PingParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
  /** True if the broker and its queues were looked at lately. */
  isWell(): boolean;
}

/** @internal calls the address as long as the watch itself is well */
export class Ping {
  private readonly address: HttpAddress;
  private timer: Timer | undefined;
  private readonly ending = new AbortController();

  constructor(
    url: string,
    private readonly parts: PingParts,
  ) {
    this.address = new HttpAddress(url);
  }

  start(): void {
    const { clock, everyMs, isWell, log } = this.parts;
    this.timer = clock.setTimer(() => this.start(), everyMs);
    if (!isWell()) return;
    this.address.ask({}, this.ending.signal).catch((error) => {
      if (!this.ending.signal.aborted)
        log.warn({ sink: `ping at ${this.address.name}`, error }, 'a ping failed');
    });
  }

  stop(): void {
    this.timer?.cancel();
    this.ending.abort();
  }
}
