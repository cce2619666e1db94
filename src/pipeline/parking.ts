import type { Work } from './work.js';

/**
 * Where a message waits that has begun and can't go on, for something other than a slot. Meanwhile it holds no slot, and does not count in its
 * queue's window.
 */
export interface Parking {
  /**
   * Gives the message's slot back. False if it can't wait here: as much waits as may, nothing may begin now, or its channel is gone.
   *
   * @param most as much as may wait so of the message's lane
   * @param leave called once if it is to wait no more, since the bus stops, its channel is gone or a pause begins: it ends without a slot
   */
  park(work: Work, most: number, leave: () => void): boolean;

  /** Takes a slot again, ahead of all that has not begun; false if the message has been told to leave. */
  resume(work: Work): boolean | Promise<boolean>;

  /** Maximum messages that may wait so of the message's lane, for the lane to go on being consumed. */
  mostOf(work: Work): number;
}
