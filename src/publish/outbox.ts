import { OptionsError } from '../errors.js';
import type { Publisher } from '../message/publisher.js';
import type { OutboxBacklog, OutboxEntry, OutboxOptions, OutboxStore, SqlClient } from '../stores/outbox.js';
import { OutboxPublisher } from './outbox-publisher.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';
import type { Steps } from './steps.js';

export interface OutboxParts extends Omit<OutboxRelayOptions, 'outbox' | 'steps'> {
  /** Undefined if the bus's stores have none. */
  readonly store: OutboxStore | undefined;
  readonly steps: Steps;
}

/** A bus's outbox: the way into it, and the way out. */
export class Outbox {
  private relay: OutboxRelay | undefined;

  constructor(private readonly parts: OutboxParts) {}

  /** @throws OptionsError if the bus's stores have none */
  through(client: SqlClient, { orderKey }: OutboxOptions): Publisher {
    const { store } = this;
    const { steps, service } = this.parts;
    return new OutboxPublisher(steps, (entries) => store.add(client, entries), service, orderKey);
  }

  /** Of an inbox, which knows itself where to. */
  adding(add: (entries: readonly OutboxEntry[]) => Promise<void>): Publisher {
    return new OutboxPublisher(this.parts.steps, add, this.parts.service);
  }

  /** @throws OptionsError if the bus's stores have none */
  backlog(): Promise<OutboxBacklog> {
    return this.store.backlog();
  }

  startRelay(): void {
    this.relay = new OutboxRelay({ ...this.parts, outbox: this.store });
    this.relay.start();
  }

  /** Takes nothing more from it; resolves when what is under way has ended. */
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
