import { ConnectError } from '../../errors.js';
import type { TopologyMode } from '../../topology/bus-topology.js';
import type { BrokerTopology } from '../../topology/plan.js';
import { systemClock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import { inRootContext } from '../../util/root-context.js';
import type { Session, SessionOptions, Transport } from '../transport.js';
import type { Connections } from './connection/connections.js';
import { type RabbitmqOptions, type RabbitmqSettings, rabbitmqSettings } from './options.js';

export type { BrokerUrl } from './connection/broker-url.js';
export type { Pem, TlsOptions } from './connection/tls.js';
export type { RabbitmqOptions } from './options.js';

/**
 * Transport to RabbitMQ 3.10 to 4.3. It only describes: the client library is loaded, and the broker connected,
 * when a bus starts. Several buses may share one. However many there are, it has one connection to publish on, and
 * one to consume on as soon as one of them consumes; the last `stop()` closes both.
 *
 * @throws OptionsError with all problems at once
 */
export function rabbitmq(options: RabbitmqOptions): Transport {
  return new AmqpTransport(rabbitmqSettings(options));
}

/** A session that declares plans in the broker's own terms as well, as the description of a bus has them. */
export interface PlanningSession extends Session {
  /** @throws TopologyError naming the resource and the refusal; what was declared before it stays */
  declarePlan(plan: BrokerTopology, mode: TopologyMode, deadline: Deadline): Promise<void>;
}

export interface PlanningTransport extends Transport {
  open(options: SessionOptions, deadline: Deadline): Promise<PlanningSession>;
}

/** {@link rabbitmq} for commands, which know their broker. */
export const planningRabbitmq = (options: RabbitmqOptions): PlanningTransport =>
  new AmqpTransport(rabbitmqSettings(options));

const noChannel = () =>
  new ConnectError(
    'the broker did not answer in time while a channel was opened',
    'Look at the load of the broker, and at its limit of channels.',
  );

class AmqpTransport implements PlanningTransport {
  readonly kind = 'amqp';
  readonly clock = systemClock;
  private connections: Connections | undefined;
  private sessions = 0;

  constructor(private readonly settings: RabbitmqSettings) {}

  get address(): string | undefined {
    return this.settings.shown;
  }

  open(options: SessionOptions, deadline: Deadline): Promise<PlanningSession> {
    return inRootContext(() => this.connect(options, deadline));
  }

  private async connect(options: SessionOptions, deadline: Deadline): Promise<PlanningSession> {
    // One after the other: Jest's ESM loader fails where two imports at a time share a module that it hasn't loaded.
    const { requireClientLibrary } = await import('./connection/client-library.js');
    const { Connections } = await import('./connection/connections.js');
    const { AmqpSession } = await import('./session.js');
    requireClientLibrary();
    const connections = this.connections ?? new Connections(this.settings, `hopline ${options.service}`);
    this.connections = connections;
    this.sessions += 1;
    if (this.settings.insecure)
      options.log.warn({ service: options.service }, "allowInsecureTls: anybody may take the broker's place");
    const session = new AmqpSession(connections, options, (closing) => this.release(connections, closing));
    try {
      await session.connect(deadline);
      await deadline.race(session.start(), noChannel);
      return session;
    } catch (error) {
      await session.close(deadline);
      throw error;
    }
  }

  private async release(connections: Connections, deadline: Deadline): Promise<void> {
    this.sessions -= 1;
    if (this.sessions > 0 || this.connections !== connections) return;
    this.connections = undefined;
    await connections.close(deadline);
  }
}
