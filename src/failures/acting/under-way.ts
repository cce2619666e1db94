import { type Deferred, deferred } from '../../util/deferred.js';

/** Actions under way at once: enough that the broker is never waited for, and no more than one channel delivers un-acked. */
export const MOST = 1_000;
/** Bytes of bodies that actions under way keep; one alone may have more. */
const MOST_BYTES = 16 * 1_024 * 1_024;

/** Counts the actions that are under way, and the bytes that they keep. One caller at a time waits. */
export class UnderWay {
  private count = 0;
  private bytes = 0;
  private awaited: Deferred<void> | undefined;

  /** True if another of this size may begin. */
  hasRoomFor(bytes: number): boolean {
    return this.count === 0 || (this.count < MOST && this.bytes + bytes <= MOST_BYTES);
  }

  /** Resolves when one of this size may begin. */
  async roomFor(bytes: number): Promise<void> {
    while (!this.hasRoomFor(bytes)) await this.change();
  }

  /** Resolves when none is under way. */
  async over(): Promise<void> {
    while (this.count > 0) await this.change();
  }

  began(bytes: number): void {
    this.count += 1;
    this.bytes += bytes;
  }

  ended(bytes: number): void {
    this.count -= 1;
    this.bytes -= bytes;
    this.awaited?.resolve();
    this.awaited = undefined;
  }

  private change(): Promise<void> {
    this.awaited ??= deferred<void>();
    return this.awaited.promise;
  }
}
