import type { Channel } from 'amqplib';

/** Before the first suspect: what was written before it is waited for. */
const OTHERS = '';

/**
 * Finds the one request that the broker refuses, if its words don't name it: suspects are written alone. The broker obeys a channel in
 * order, so that its answer to an empty order after a request says that it has taken the request.
 */
export class Trial {
  private channel: Channel | undefined;
  /** Id of the request that is tried; undefined if none is. */
  private tried: string | undefined;
  /** True if the broker has taken all that was written. */
  private isClean = true;

  /** @param onTaken called when others may be written */
  constructor(private readonly onTaken: () => void) {}

  get isOn(): boolean {
    return this.tried !== undefined;
  }

  opened(channel: Channel): void {
    this.channel = channel;
    this.isClean = true;
  }

  /** The request that was tried when the channel was lost. */
  lost(): string | undefined {
    const { tried } = this;
    this.channel = undefined;
    this.tried = undefined;
    return tried === OTHERS ? undefined : tried;
  }

  mayWrite(isSuspect: boolean): boolean {
    if (this.tried !== undefined) return false;
    if (!isSuspect || this.isClean) return true;
    this.try(OTHERS);
    return false;
  }

  wrote(id: string, isSuspect: boolean): void {
    this.isClean = false;
    if (isSuspect) this.try(id);
  }

  private try(id: string): void {
    const { channel } = this;
    this.tried = id;
    // A prefetch is nothing to a consumer that acks nothing.
    channel?.prefetch(0).then(
      () => {
        if (channel !== this.channel) return;
        this.tried = undefined;
        this.isClean = true;
        this.onTaken();
      },
      () => {}, // the channel is lost
    );
  }
}
