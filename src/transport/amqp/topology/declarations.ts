import type { ChannelModel } from 'amqplib';
import { ConnectError, HoplineError, type TopologyError } from '../../../errors.js';
import { topicMatches } from '../../../message/routing/topic.js';
import type { TopologyMode } from '../../../topology/bus-topology.js';
import type { Generations } from '../../../topology/generations.js';
import {
  type Address,
  type BrokerTopology,
  type ConsumersPart,
  consumersPart,
  type ExchangePlan,
  lastingPart,
  type ProcessQueuePlan,
  processQueueIn,
  type QueuePlan,
  type SharedPlan,
  type TopologyPlan,
} from '../../../topology/plan.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import { brokerFeatures, requireFeatures } from '../connection/broker-features.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import type { Connections } from '../connection/connections.js';
import { notPossible, reachedLimit } from '../connection/limits.js';
import { BlockedMeanwhile, unlessBlocked } from '../connection/unless-blocked.js';
import { ForeignQueue } from '../consume/foreign-queue.js';
import { declarePlan, declareShared, missingExchanges, withoutMissing } from './declare.js';
import { unknownType, unknownTypeIn } from './unknown-type.js';

/** The publisher, which waits while exchanges are declared again. */
export interface Mended {
  /** Holds publishes to these exchanges back until it is called again with false. */
  holdBack(exchanges: readonly string[], isMending: boolean): void;
  /** Called for exchanges that were missing and exist again, with our bindings, but perhaps without those of others. */
  remade(exchanges: readonly string[]): void;
}

/** A declared topology, to be declared again if another program deletes it. */
interface Declared {
  /** With the queues that go with their consumers, which declare them. */
  readonly whole: TopologyPlan;
  /** Without them. */
  readonly plan: TopologyPlan;
  readonly delays: SharedPlan | undefined;
  readonly mode: TopologyMode;
  /** Repair under way. */
  mending?: Promise<void> | undefined;
}

/** Minimum time that the broker at one address gets for a topology during a start, if there are other addresses. */
const LEAST_TURN_MS = 5_000;
const LONGEST_TURN_MS = 30_000;

/** Deadline of a repair; publishes that wait for it have their own deadlines. */
const MEND_WITHIN_MS = 30_000;

/**
 * The topology of one bus in the broker: declared, remembered, and declared again, on the connection that
 * {@link Connections.asked} says.
 */
export class Declarations {
  private readonly all: Declared[] = [];
  private readonly listeners: readonly (readonly [Connection, ConnectionListener])[];
  /** What was said of types of exchanges that the broker doesn't know. */
  private readonly unknownTypes = new Map<string, TopologyError>();
  /** Reason of the last loss of the connection. */
  private lastLoss: Error | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly mended: Mended,
    private readonly generations: Pick<Generations, 'applied' | 'of' | 'doubt' | 'certain'>,
  ) {
    const { publish, consume } = connections;
    this.listeners = [publish, consume].map(
      (connection) => [connection, this.listenerOf(connection)] as const,
    );
    for (const [connection, listener] of this.listeners) connection.listen(listener);
  }

  close(): void {
    for (const [connection, listener] of this.listeners) connection.unlisten(listener);
  }

  private get plans(): readonly TopologyPlan[] {
    return this.all.map(({ whole }) => whole);
  }

  /** True for a queue that was declared as a quorum queue, or has become one. */
  isQuorum(queue: string): boolean {
    const migrated = this.generations.of(queue);
    if (migrated) return migrated.type === 'quorum';
    return this.queue(queue)?.arguments['x-queue-type'] === 'quorum';
  }

  /** Plan of the queues of this name that each process makes for itself; undefined if it is not such a name. */
  processQueue(queue: string): ProcessQueuePlan | undefined {
    return processQueueIn(this.plans, queue);
  }

  /**
   * A connection that is lost during the declaring is no refusal: what it has declared is declared again on the
   * next one.
   */
  async declare(topology: BrokerTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    for (const { type } of topology.own.exchanges) {
      const known = this.unknownTypes.get(type);
      if (known) throw known;
    }
    // Nothing of this bus is under way yet, so the next address can be tried without loss.
    for (let left = this.all.length === 0 ? this.connections.turns : 1; ; ) {
      const { connection, model } = await this.connections.readable(deadline);
      const turn =
        left > 1
          ? deadline.atMost(Math.min(LONGEST_TURN_MS, Math.max(LEAST_TURN_MS, deadline.remainingMs / left)))
          : deadline;
      try {
        const applied = { ...topology, own: this.generations.applied(topology.own) };
        await turn.race(unlessBlocked(connection, declareOn(model, applied, mode)), noAnswer);
        break;
      } catch (error) {
        const isLate = turn !== deadline && turn.expired && !deadline.expired;
        if (isLate) left = (await this.connections.tryNext(error as Error)) ? left - 1 : 1;
        else if (error instanceof BlockedMeanwhile) continue;
        else if (error instanceof HoplineError) throw error;
        else if (connection.model === model) throw cantDeclare(error as Error);
        else if (this.lastLoss) {
          const refused = refusedIn(topology, this.lastLoss.message);
          // The next connection would be lost, too.
          if (refused) throw this.refused(refused, this.lastLoss);
          if (reachedLimit(this.lastLoss.message)) throw cantDeclare(this.lastLoss);
        }
      }
    }
    this.all.push({ whole: topology.own, plan: lastingPart(topology.own), delays: topology.delays, mode });
  }

  /** Kept: before RabbitMQ 4 another try would cost everybody the connection again. */
  private refused({ name, type }: ExchangePlan, loss: Error): TopologyError {
    const error = unknownType(`exchange '${name}'`, type, loss);
    this.unknownTypes.set(type, error);
    return error;
  }

  /** True if a topology with this exchange was declared again. */
  withExchange(exchange: string): Promise<boolean> {
    return this.again((plan) => plan.exchanges.some(({ name }) => name === exchange));
  }

  /** True if one of our bindings should have taken the message, and was declared again. */
  withRoute({ exchange, routingKey }: Address): Promise<boolean> {
    if (exchange === '') return this.withQueue(routingKey);
    // By the plan alone. The keys of direct exchanges and the names of queues hold no wildcard.
    return this.again(({ exchanges, bindings }) => {
      const type = exchanges.find(({ name }) => name === exchange)?.type;
      const isByKey = type === undefined || type === 'topic' || type === 'direct';
      // Of others it is normal that no binding of an exchange takes a message, or that one returns what it keeps.
      if (!isByKey && type !== 'fanout' && type !== 'x-consistent-hash') return false;
      return bindings.some(
        ({ source, pattern }) => source === exchange && (!isByKey || topicMatches(pattern, routingKey)),
      );
    });
  }

  /** What the consumer of this queue has to declare; undefined for a queue that is there without it. */
  ofConsumer(queue: string): ConsumersPart | undefined {
    for (const { whole } of this.all) {
      const part = consumersPart(whole, queue);
      if (part) return part;
    }
    return undefined;
  }

  /** A look at the queue, if it belongs to someone else. */
  foreign(queue: string): ForeignQueue | undefined {
    return this.queue(queue)?.verifyOnly ? new ForeignQueue(queue) : undefined;
  }

  private queue(name: string): QueuePlan | undefined {
    return this.plans.flatMap(({ queues }) => queues).find((queue) => queue.name === name);
  }

  withQueue(queue: string): Promise<boolean> {
    return this.again(({ queues }) => queues.some(({ name }) => name === queue));
  }

  private async again(concerns: (plan: TopologyPlan) => boolean): Promise<boolean> {
    const concerned = this.all.filter(
      ({ mode, plan, delays }) => mode === 'declare' && (concerns(plan) || (delays && concerns(delays))),
    );
    await Promise.all(concerned.map((declared) => this.mend(declared)));
    return concerned.length > 0;
  }

  /** One repair serves all callers that miss the same topology. */
  private mend(declared: Declared): Promise<void> {
    declared.mending ??= this.declareWhole(declared).finally(() => {
      declared.mending = undefined;
    });
    return declared.mending;
  }

  private async declareWhole({ plan: logical, delays }: Declared): Promise<void> {
    const exchanges = [delays, logical].flatMap((part) => part?.exchanges.map(({ name }) => name) ?? []);
    this.mended.holdBack(exchanges, true);
    try {
      await this.onLive(async (model) => {
        await this.generations.certain();
        const plan = this.generations.applied(logical);
        const parts = delays ? [delays, plan] : [plan];
        const missing = await missingExchanges(model, plan);
        this.mended.remade(missing);
        // The marker of the delays may exist though another of their exchanges is gone.
        for (const part of parts) await declarePlan(model, await withoutMissing(model, part), 'declare');
        // The exchanges count as young from now on.
        this.mended.remade(missing);
      });
    } finally {
      this.mended.holdBack(exchanges, false);
    }
  }

  /** The publishing connection may be back before this one, which may also be lost meanwhile. */
  private async onLive(work: (model: ChannelModel) => Promise<void>): Promise<void> {
    const deadline = new Deadline(systemClock, MEND_WITHIN_MS);
    for (;;) {
      const { connection, model } = await this.connections.readable(deadline);
      try {
        return await unlessBlocked(connection, work(model));
      } catch (error) {
        if (error instanceof BlockedMeanwhile) continue;
        const isRefused = error instanceof HoplineError && !(error instanceof ConnectError);
        if (isRefused || connection.model === model) throw error;
      }
    }
  }

  /**
   * Checks each connection after the first: an emptied broker is found before the first publish reaches it, and
   * before another program has declared an exchange without its bindings.
   */
  private listenerOf(connection: Connection): ConnectionListener {
    let wasUp = false;
    const isAsked = () => this.connections.asked === connection;
    return {
      up: () => {
        if (wasUp && isAsked()) void this.lookAfterExchanges().catch(() => {});
        wasUp = true;
      },
      down: (error) => {
        this.generations.doubt();
        if (isAsked()) this.lastLoss = error;
      },
      blocked: () => {},
      unblocked: () => {},
    };
  }

  private async lookAfterExchanges(): Promise<void> {
    for (const declared of this.all) {
      if (declared.mode !== 'declare' || declared.mending !== undefined) continue;
      const missing = await missingExchanges(await this.connections.live(), declared.plan);
      if (missing.length > 0) await this.mend(declared);
    }
  }
}

async function declareOn(
  model: ChannelModel,
  { own, delays }: BrokerTopology,
  mode: TopologyMode,
): Promise<void> {
  // Checked in every mode: a feature that the broker silently lacks is wrong however the queue was declared.
  requireFeatures(own, brokerFeatures(model.connection.serverProperties));
  // Delays first: queues are bound to their last exchange.
  if (delays) await declareShared(model, delays, mode);
  await declarePlan(model, lastingPart(own), mode);
}

/** The exchange over whose type the broker has closed the connection; undefined if it was closed for something else. */
function refusedIn({ own }: BrokerTopology, reply: string): ExchangePlan | undefined {
  const refused = unknownTypeIn(reply);
  return own.exchanges.find(({ type }) => type === refused);
}

const noAnswer = () =>
  new ConnectError(
    'the broker did not answer in time while the topology was declared',
    'Look at the load and the alarms of the broker, and whether its node is cut off from the others.',
  );

const cantDeclare = (cause: Error) => notPossible("the topology can't be declared", cause);
