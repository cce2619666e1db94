import type { HandlerDefinitions } from '../bus/handler-tree.js';
import { Bus } from '../bus.js';
import type { HandlerContext } from '../consume/attempt/context.js';
import type { AttemptEvent } from '../events.js';
import type { Middleware } from '../pipeline/middleware.js';
import { silentLogger } from '../util/logger.js';
import type { KitDelivery } from './delivery.js';
import { type AttemptEntry, errorLine } from './entries.js';
import { NotSettledError } from './errors.js';
import { chain } from './lineage.js';
import { mortalStores } from './mortal-stores.js';
import type { KitSettings } from './options.js';
import type { User } from './publishes.js';
import { KitTransport } from './transport.js';
import type { World } from './world.js';

/** Maximum messages published at one moment, for each allowed handling of a cascade. */
const BREADTH = 50;

/** One process of the service under test: it lives until it is stopped or crashes. */
export interface KitProcess {
  readonly bus: Bus;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends it like kill -9. The code of its running handlers runs on, but publishes and settles nothing. */
  die(): Promise<void>;
}

/** A process that is nothing but a bus. */
export class ServiceProcess implements KitProcess {
  readonly bus: Bus;
  private readonly transport: KitTransport;
  private isDead = false;

  /** @param handlers handlers of this process alone */
  constructor(
    private readonly world: World,
    settings: KitSettings,
    handlers: HandlerDefinitions,
    user: User,
  ) {
    this.transport = new KitTransport(world, user, {
      maxAtOneMoment: settings.cascadeLimit * BREADTH,
      declaresAll: true,
    });
    const { middleware = [], log = silentLogger } = settings.bus;
    this.bus = new Bus({
      // Failures are in the timeline.
      failureLog: false,
      ...settings.bus,
      handlers,
      stores: mortalStores(world.stores, () => this.isDead),
      transport: this.transport,
      middleware: [this.watch(settings), ...middleware],
      log: {
        debug: (fields, message) => log.debug(fields, message),
        info: (fields, message) => log.info(fields, message),
        warn: (fields, message) => {
          this.note('warning', message, fields);
          log.warn(fields, message);
        },
        error: (fields, message) => {
          this.note('error', message, fields);
          log.error(fields, message);
        },
      },
    });
    settings.configure(this.bus);
    this.listen();
  }

  start(): Promise<void> {
    return this.bus.start();
  }

  stop(): Promise<void> {
    return this.bus.stop();
  }

  die(): Promise<void> {
    this.isDead = true;
    return this.transport.session?.die() ?? Promise.resolve();
  }

  /** Middleware around every handler: records that it runs, as the cause of what it publishes. */
  private watch({ cascadeLimit }: KitSettings): Middleware {
    const { flow, lineage, clock } = this.world;
    return (_payload, context, next) => {
      const { match, received } = (context as HandlerContext).work;
      const delivery = received.delivery as KitDelivery;
      const handler = match?.handler.name as string;
      delivery.state = 'running';
      delivery.handler = handler;
      delivery.kept = (context as HandlerContext).kept;
      const cause = lineage.handling(handler, context.routingKey, context.messageId, clock.monotonic());
      delivery.cause = cause;
      if (cause.depth > cascadeLimit) {
        flow.broken ??= new NotSettledError(
          `a cascade does not end: ${cascadeLimit} handlings followed from each other without time passing`,
          [`the last of them: ${chain(cause)}`],
          'Find the handler whose publishes lead back to itself; raise cascadeLimit if the chain is meant to be that long.',
        );
      }
      return lineage.run(cause, next);
    };
  }

  private listen(): void {
    const { journal } = this.world;
    const { bus } = this;
    const on: Bus['on'] = (name, listener) =>
      bus.on(name, (event) => {
        if (!this.isDead) listener(event);
      });
    on('handler.succeeded', (event) =>
      journal.add({ kind: 'handled', ...this.about(event), discarded: false }),
    );
    on('message.discarded', (event) =>
      journal.add({ kind: 'handled', ...this.about(event), discarded: true }),
    );
    on('message.retried', (event) => {
      const { delayMs, error } = event;
      journal.add({ kind: 'retried', ...this.about(event), delayMs, error, released: false });
    });
    on('message.released', (event) => {
      const { delayMs } = event;
      journal.add({ kind: 'retried', ...this.about(event), delayMs, error: undefined, released: true });
    });
    on('message.deadLettered', (event) => {
      const { reason, error, failedError } = event;
      if (failedError !== undefined) this.note('error', 'failed() of a handler failed', { err: failedError });
      journal.add({ kind: 'dead-lettered', ...this.about(event), reason, error });
    });
  }

  private about(event: AttemptEvent): Omit<AttemptEntry, 'at'> {
    const { handler, queue, routingKey, messageId, attempt } = event;
    const payload = this.transport.session?.payloadFor(queue, messageId);
    return { handler, queue, routingKey, messageId, attempt, payload };
  }

  private note(level: string, message: string, fields: object): void {
    if (this.isDead) return;
    const { err } = fields as { err?: unknown };
    this.world.journal.note(`${level}: ${message}${err === undefined ? '' : ` (${errorLine(err)})`}`);
  }
}
