import { Backoff } from '../../util/backoff.js';
import type { BrokerAddress } from './options.js';

/** Between the addresses of one round; the backoff comes after each whole round. */
const NEXT_ADDRESS_MS = 50;

/**
 * Which address is tried next, and after which pause: one after the other, then the same again with what the user's functions
 * bring by then, such as fresh credentials.
 */
export class AddressSearch {
  private round: readonly BrokerAddress[] = [];
  /** Place in the round of the one to be tried next. */
  private place = 0;
  /** To be tried before the others, once. */
  private first: BrokerAddress | undefined;
  private readonly backoff = new Backoff({ firstMs: 100, maxMs: 30_000 });

  constructor(private readonly find: () => Promise<readonly BrokerAddress[]>) {}

  /** Host and port of each, as they were found last. */
  get names(): string[] {
    return this.round.map(({ name }) => name);
  }

  /** @throws what the user's functions throw, or OptionsError if they bring what can't work */
  async next(): Promise<BrokerAddress> {
    const { first } = this;
    if (first) {
      this.first = undefined;
      this.place = this.round.findIndex(({ name }) => name === first.name) + 1;
      return first;
    }
    if (this.place >= this.round.length) {
      this.round = [];
      this.place = 0;
      this.round = await this.find();
    }
    const address = this.round[this.place];
    if (!address) throw new Error('there is no address to connect to');
    this.place += 1;
    return address;
  }

  /** This one comes next. */
  startWith(address: BrokerAddress): void {
    this.first = address;
  }

  /** How long to wait after a failure, in milliseconds. */
  pauseMs(): number {
    return this.place < this.round.length ? NEXT_ADDRESS_MS : this.backoff.next();
  }

  /** A connection has lived long enough. */
  succeeded(): void {
    this.backoff.reset();
  }
}
