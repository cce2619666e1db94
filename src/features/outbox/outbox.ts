import { OptionsError } from '../../errors.js';
import type { Publisher, Sender } from '../../message/publisher.js';
import { throughMiddleware } from '../../pipeline/middleware-sender.js';
import type { PublishMiddleware } from '../../pipeline/publish-middleware.js';
import type { TracedSending } from '../../pipeline/tracing/tracing-sender.js';
import type {
  OutboxBacklog,
  OutboxEntry,
  OutboxOptions,
  OutboxStore,
  SqlClient,
} from '../../stores/outbox.js';
import type { ChainSender } from '../chain/sender.js';
import { OutboxPublisher, OutboxSender } from './outbox-publisher.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';

export interface OutboxParts extends Omit<OutboxRelayOptions, 'outbox' | 'steps'> {
  /** The store of the outbox; undefined if the bus's stores have none. */
  readonly store: OutboxStore | undefined;
  readonly steps: ChainSender;
  /** Publish middleware of the bus. */
  readonly middleware: readonly PublishMiddleware[];
  /** The bus's tracer; undefined if there is none. */
  readonly traced: TracedSending | undefined;
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
    const { steps, service, clock, middleware, traced } = this.parts;
    const add = (entries: readonly OutboxEntry[]) => store.add(client, entries);
    const sender = new OutboxSender(steps, add, service, clock, orderKey);
    return new OutboxPublisher(throughMiddleware(middleware, traced)(sender));
  }

  /**
   * The sender of an inbox, which adds the entries itself.
   *
   * @param inner publish middleware of the handler, inside the bus's
   */
  adding(
    add: (entries: readonly OutboxEntry[]) => Promise<void>,
    inner: readonly PublishMiddleware[] = [],
  ): Sender {
    const { steps, service, clock, middleware, traced } = this.parts;
    return throughMiddleware([...middleware, ...inner], traced)(new OutboxSender(steps, add, service, clock));
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
