import { Backoff } from '../../../util/backoff.js';
import type { BrokerAddress } from '../options.js';

/** Pause between the addresses of one round; the backoff follows after each round. */
const NEXT_ADDRESS_MS = 50;

/**
 * Order of the addresses to try, and the pauses. After each round the user's functions are asked again, for
 * instance for fresh credentials.
 */
export class AddressSearch {
  private round: readonly BrokerAddress[] = [];
  /** Index in the round of the next address. */
  private place = 0;
  /** Address to try before the others, once. */
  private first: BrokerAddress | undefined;
  private readonly backoff = new Backoff({ firstMs: 100, maxMs: 30_000 });

  constructor(private readonly find: () => Promise<readonly BrokerAddress[]>) {}

  /** Host and port of each address of the last round. */
  get names(): string[] {
    return this.round.map(({ name }) => name);
  }

  /** @throws the error of the user's functions; OptionsError if their result is invalid */
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

  /** Makes this address the next. */
  startWith(address: BrokerAddress): void {
    this.first = address;
  }

  /** Milliseconds to wait after a failure. */
  pauseMs(): number {
    return this.place < this.round.length ? NEXT_ADDRESS_MS : this.backoff.next();
  }

  /** Called when a connection has lived long enough. */
  succeeded(): void {
    this.backoff.reset();
  }
}
