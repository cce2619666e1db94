import { OptionsError } from '../../errors.js';
import type { Publisher } from '../../message/publisher.js';
import type {
  OutboxBacklog,
  OutboxEntry,
  OutboxOptions,
  OutboxStore,
  SqlClient,
} from '../../stores/outbox.js';
import type { ChainSender } from '../chain/sender.js';
import { OutboxPublisher } from './outbox-publisher.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';

export interface OutboxParts extends Omit<OutboxRelayOptions, 'outbox' | 'steps'> {
  /** The store of the outbox; undefined if the bus's stores have none. */
  readonly store: OutboxStore | undefined;
  readonly steps: ChainSender;
}

/** A bus's outbox: its publishers and its relay. */
export class Outbox {
  private relay: OutboxRelay | undefined;

  constructor(private readonly parts: OutboxParts) {}

  /**
   * The publisher that adds to the outbox in `client`'s transaction.
   *
   * @throws OptionsError if the bus's stores have none
   */
  through(client: SqlClient, { orderKey }: OutboxOptions): Publisher {
    const { store } = this;
    const { steps, service } = this.parts;
    return new OutboxPublisher(steps, (entries) => store.add(client, entries), service, orderKey);
  }

  /** The publisher of an inbox, which adds the entries itself. */
  adding(add: (entries: readonly OutboxEntry[]) => Promise<void>): Publisher {
    return new OutboxPublisher(this.parts.steps, add, this.parts.service);
  }

  /** The waiting messages of the outbox. @throws OptionsError if the bus's stores have none */
  backlog(): Promise<OutboxBacklog> {
    return this.store.backlog();
  }

  startRelay(): void {
    this.relay = new OutboxRelay({ ...this.parts, outbox: this.store });
    this.relay.start();
  }

  /** Stops the relay: it takes no further entries; resolves when those under way have ended. */
  async stopRelay(): Promise<void> {
    await this.relay?.stop();
  }

  private get store(): OutboxStore {
    const { store } = this.parts;
    if (store) return store;
    throw new OptionsError('stores', [
      'expected stores that have an outbox, as postgresStores() of hopline/postgres has',
    ]);
  }
}
