import type { StoredMessage } from '../stored-message.js';
import type { Turns } from '../turns.js';

type Receiver = (reply: StoredMessage) => void;

/** Addresses for replies, which the default exchange leads to. A reply to one that is closed is dropped. */
export class ReplyAddresses {
  private readonly receivers = new Map<string, Receiver>();
  private made = 0;

  constructor(private readonly turns: Turns) {}

  /** @returns the address */
  open(receiver: Receiver): string {
    this.made += 1;
    const address = `amq.rabbitmq.reply-to.${this.made}`;
    this.receivers.set(address, receiver);
    return address;
  }

  close(address: string): void {
    this.receivers.delete(address);
  }

  /** Delivers in the next turn of the event loop. False if the address is none. */
  deliver(address: string, reply: StoredMessage): boolean {
    if (!this.receivers.has(address)) return false;
    this.turns.next(() => this.receivers.get(address)?.(reply));
    return true;
  }
}
