import { OutcomeUnknownError } from '../errors.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import type { TransportSession } from '../transport/transport.js';
import { type KitDelivery, originOfOutgoing } from './delivery.js';
import { NotSettledError } from './errors.js';
import { firstFault, type PublishFault, type PublishSite } from './exploring/faults.js';
import { payloadOf, type World } from './world.js';

/** User of a transport: one bus in one process. */
export interface User {
  readonly name: string;
  readonly by: PublishSite['by'];
  /** Called when a fault ends its process; whatever it still does has no effect. */
  onCrash(where: string): void;
}

export interface KitPublishesOptions {
  readonly world: World;
  readonly user: User;
  /** Maximum messages that the user may publish without time passing. @default no limit */
  readonly maxAtOneMoment?: number;
}

interface Site extends PublishSite {
  /** Queue of the delivery that this publish settles. */
  readonly queue: string | undefined;
}

/** A call whose process has died: nobody gets its result. Must not be awaited, since code in `finally` must run. */
export const nobodyLeft = (): Promise<never> => new Promise(() => {});

/** The publishes of one session, with the faults that are possible on a real broker. */
export class KitPublishes {
  /** Number of publishes whose caller has no result yet. */
  inFlight = 0;
  private readonly world: World;
  private readonly user: User;

  constructor(
    private readonly inner: Pick<TransportSession, 'publish'>,
    private readonly session: { readonly isDead: boolean; readonly deliveries: ReadonlySet<KitDelivery> },
    private readonly options: KitPublishesOptions,
  ) {
    this.world = options.world;
    this.user = options.user;
  }

  async publish(message: OutgoingMessage): Promise<Published | undefined> {
    const { flow, lineage, faults } = this.world;
    const site = this.siteOf(message);
    const before = this.stepBefore(message, site);
    // Copies and next steps are still published, so that the bus can stop.
    if (site.of === 'publish' && site.by !== 'test' && !before) this.endFlood(site);
    const cause = lineage.cause ?? before?.cause;
    const done = flow.begin(`a publish of '${site.routingKey}' is unconfirmed`);
    this.inFlight += 1;
    try {
      const fault = firstFault(faults, (each) => each.onPublish(site));
      if (fault === 'crash-before-publish') return this.crash(`before '${site.routingKey}' was published`);
      lineage.published(message.properties.messageId, cause);
      await this.store(message, site, cause?.handler);
      if (this.session.isDead) return nobodyLeft();
      if (fault === 'crash-after-publish') return this.crash(`after '${site.routingKey}' was published`);
      if (fault) await this.afterStored(fault, message, site);
      if (site.queue !== undefined) flow.copied(site.queue, message.properties.messageId, 'copied');
      if (before) before.state = 'running';
      return message.receipt;
    } catch (error) {
      if (before) before.state = 'held';
      if (site.queue !== undefined) flow.copied(site.queue, message.properties.messageId, 'held');
      throw error;
    } finally {
      this.inFlight -= 1;
      done();
    }
  }

  /**
   * Records a request.
   *
   * @returns function that takes the record back
   * @throws NotSettledError if a cascade does not end
   */
  asked(message: OutgoingMessage): () => void {
    const site = this.siteOf(message);
    if (site.by !== 'test') this.endFlood(site);
    const { cause } = this.world.lineage;
    this.world.lineage.published(message.properties.messageId, cause);
    return this.record(message, site, cause?.handler);
  }

  private async afterStored(fault: PublishFault, message: OutgoingMessage, site: Site): Promise<void> {
    const { journal } = this.world;
    const { of, routingKey } = site;
    const what = of === 'publish' ? `'${routingKey}'` : `the ${of} of '${routingKey}'`;
    if (fault === 'sent-twice') {
      journal.note(`fault: ${what} was written again on a new connection, and is stored twice`);
      // The result of the second publish doesn't matter, once the first is confirmed.
      await this.inner.publish(message).catch(() => {});
      return;
    }
    journal.note(`fault: the confirm of ${what} was lost`);
    throw new OutcomeUnknownError(
      message.properties.messageId,
      `'${routingKey}' was written, but not confirmed: the test kit lost its confirm`,
    );
  }

  private crash(where: string): Promise<never> {
    this.user.onCrash(where);
    return nobodyLeft();
  }

  private siteOf(message: OutgoingMessage): Site {
    const { by } = this.user;
    const { routingKey } = originOfOutgoing(message);
    switch (message.to) {
      case 'dead-letters':
        return { of: 'dead-letter', routingKey, by, queue: message.queue };
      case 'queue':
        return { of: 'retry', routingKey, by, queue: message.queue };
      default:
        return { of: 'publish', routingKey, by, queue: undefined };
    }
  }

  /** The delivery that waits for this publish, as the next step of its chain. */
  private stepBefore(message: OutgoingMessage, { of }: Site): KitDelivery | undefined {
    if (of !== 'publish') return undefined;
    return [...this.session.deliveries].find((delivery) => delivery.leadsTo(message));
  }

  /**
   * Ends a handler that publishes in a loop, or a cascade that grows in breadth, which a limit of depth doesn't
   * find.
   */
  private endFlood({ routingKey }: Site): void {
    const { flow, clock } = this.world;
    const { maxAtOneMoment = Number.POSITIVE_INFINITY } = this.options;
    if (flow.countAt(clock.monotonic()) > maxAtOneMoment) {
      flow.broken ??= new NotSettledError(
        `a cascade does not end: ${maxAtOneMoment} messages were published without time passing`,
        [`the last of them: '${routingKey}'`],
        'Find the handler that publishes without end; raise cascadeLimit, of which this is a multiple, if so many are intended.',
      );
    }
    if (flow.broken) throw flow.broken;
  }

  private async store(message: OutgoingMessage, site: Site, handler: string | undefined): Promise<void> {
    // Recorded before it is stored: a message that is handled before the confirm was published before that.
    const takeBack = site.of === 'publish' ? this.record(message, site, handler) : undefined;
    try {
      await this.inner.publish(message);
    } catch (error) {
      takeBack?.();
      throw error;
    }
  }

  private record(message: OutgoingMessage, { by }: Site, handler: string | undefined): () => void {
    const { body, properties, delayMs = 0 } = message;
    const { headers = {}, messageId, correlationId } = properties;
    const origin = originOfOutgoing(message);
    return this.world.journal.add({
      kind: 'published',
      ...origin,
      headers,
      messageId,
      correlationId,
      payload: payloadOf(this.world, { ...origin, body, properties }),
      delayMs,
      by: by === 'test' ? 'test' : (handler ?? this.user.name),
    });
  }
}
