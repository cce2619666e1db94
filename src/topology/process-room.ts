import type { Logger } from '../util/logger.js';

/** From so many on, or so many bytes of bodies, a process takes no copy more from its queue. */
const MOST_COMING_BACK = 1_000;
const MOST_BYTES_COMING_BACK = 16 * 1024 * 1024;

/** Part of it below which it takes some again: each change is another consumer. */
const ENOUGH = 0.9;

/**
 * What a process keeps of the messages of one queue of its own that are to be tried again: those that wait, and those that run once
 * more. It refuses none: a refused message would hold its slot, which those that could make room need.
 */
export class ProcessRoom {
  private messages = 0;
  private bytes = 0;
  private dropped = 0;
  private full = false;

  /** @param onChange called when it has become full, and when there is room again */
  constructor(
    private readonly queue: string,
    private readonly log: Logger,
    private readonly onChange: () => void,
  ) {}

  get isFull(): boolean {
    return this.full;
  }

  enter({ length }: Buffer): void {
    this.messages += 1;
    this.bytes += length;
    if (this.full || (this.messages < MOST_COMING_BACK && this.bytes < MOST_BYTES_COMING_BACK)) return;
    this.full = true;
    const { queue, messages, bytes } = this;
    this.log.warn(
      { queue, messages, bytes },
      'so many messages wait in this process for another attempt that it takes no others of their queue until there are less: mend what their handler fails on',
    );
    this.onChange();
  }

  leave({ length }: Buffer): void {
    this.messages -= 1;
    this.bytes -= length;
    if (!this.full) return;
    if (this.messages > ENOUGH * MOST_COMING_BACK || this.bytes > ENOUGH * MOST_BYTES_COMING_BACK) return;
    this.full = false;
    this.log.info({ queue: this.queue }, 'this process takes messages of its queue again');
    this.onChange();
  }

  /** Counts messages that end with the process. */
  drop(messages: number): void {
    this.dropped += messages;
  }

  /** Logs how many were dropped since it was last asked, if any. */
  tellDropped(): void {
    const { queue, dropped: messages } = this;
    this.dropped = 0;
    if (messages > 0)
      this.log.warn(
        { queue, messages },
        'messages that waited in this process for another attempt have ended with it',
      );
  }
}
