import { ConnectError } from '../../errors.js';
import { MOST } from './under-way.js';

/**
 * Keys of the letters that were acked last, as many as a channel can hold. If the connection is lost, their acks may not have reached the
 * broker, which then delivers them again; the acks before them have made room for these, and have reached it.
 */
export class LastAcked {
  private ring: string[] = [];
  private next = 0;

  get keys(): readonly string[] {
    return this.ring;
  }

  add(key: string): void {
    this.ring[this.next] = key;
    this.next = (this.next + 1) % MOST;
  }

  clear(): void {
    this.ring = [];
    this.next = 0;
  }
}

/** Error for a letter that is in its queue and may be one of these. */
export const dealtWithAlready = (): ConnectError =>
  new ConnectError(
    'it was dealt with, and the connection was lost before the broker had removed it; or it is a copy of one that was',
    'Look what became of it, and retry or forget it by its id.',
  );
