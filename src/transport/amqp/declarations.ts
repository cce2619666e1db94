import type { ChannelModel } from 'amqplib';
import { ConnectError, HoplineError } from '../../errors.js';
import type { OutgoingMessage } from '../../message/message.js';
import { topicMatches } from '../../message/topic.js';
import type { BusTopology, SharedPlan, TopologyMode, TopologyPlan } from '../../topology/plan.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { brokerFeatures, requireFeatures } from './broker-features.js';
import type { ConnectionListener } from './connection.js';
import type { Connections } from './connections.js';
import { declarePlan, declareShared, missingExchanges } from './declare.js';
import { notPossible, reachedLimit } from './limits.js';

/** Who publishes: waits while exchanges are made again. */
export interface Mended {
  /** Publishes to these exchanges wait until it is called again with false. */
  holdBack(exchanges: readonly string[], isMending: boolean): void;
  /** They were missing; they are there, with our bindings, but perhaps without those of others. */
  remade(exchanges: readonly string[]): void;
}

/** What has been declared, to be declared again when somebody deletes it. */
interface Declared {
  readonly plan: TopologyPlan;
  readonly delays: SharedPlan | undefined;
  readonly mode: TopologyMode;
  /** Under way. */
  mending?: Promise<void> | undefined;
}

/** At least as long does the broker of one address have for a topology while a bus starts, if there are others. */
const LEAST_TURN_MS = 5_000;
const LONGEST_TURN_MS = 30_000;

/** Publishes that wait for it have deadlines of their own. */
const MEND_WITHIN_MS = 30_000;

/**
 * The topology of one bus in the broker: declared, remembered, and declared again. On the consuming connection: in an alarm the
 * broker reads nothing from one that publishes, and where a node is cut off, RabbitMQ 4.3 answers a declare after 30 s by
 * closing its connection.
 */
export class Declarations {
  private readonly all: Declared[] = [];
  private readonly listener: ConnectionListener;
  private wasUp = false;
  /** Why the connection went last. */
  private lastLoss: Error | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly mended: Mended,
  ) {
    this.listener = {
      up: () => this.connected(),
      down: (error) => {
        this.lastLoss = error;
      },
      blocked: () => {},
      unblocked: () => {},
    };
    connections.consume.listen(this.listener);
  }

  close(): void {
    this.connections.consume.unlisten(this.listener);
  }

  get plans(): readonly TopologyPlan[] {
    return this.all.map(({ plan }) => plan);
  }

  /** A connection that goes meanwhile refuses nothing: what is there already is declared on the next one again. */
  async declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void> {
    const { consume } = this.connections;
    // Before anything of this bus is under way there is nothing to lose by trying the next address.
    for (let left = this.all.length === 0 ? this.connections.turns : 1; ; ) {
      await consume.whenUp(deadline);
      const model = this.live();
      const turn =
        left > 1
          ? deadline.atMost(Math.min(LONGEST_TURN_MS, Math.max(LEAST_TURN_MS, deadline.remainingMs / left)))
          : deadline;
      try {
        await turn.race(declareOn(model, topology, mode), noAnswer);
        break;
      } catch (error) {
        const isLate = turn !== deadline && turn.expired && !deadline.expired;
        if (isLate) left = (await this.connections.tryNext(error as Error)) ? left - 1 : 1;
        else if (error instanceof HoplineError) throw error;
        else if (consume.model === model) throw cantDeclare(error as Error);
        // It would go again.
        else if (this.lastLoss && reachedLimit(this.lastLoss.message)) throw cantDeclare(this.lastLoss);
      }
    }
    this.all.push({ plan: topology.own, delays: topology.delays, mode });
  }

  /** True if what has this exchange was declared again. */
  withExchange(exchange: string): Promise<boolean> {
    return this.again((plan) => plan.exchanges.some(({ name }) => name === exchange));
  }

  /** True if a binding of ours should have taken it, and was declared again. */
  withRoute({ exchange, routingKey }: OutgoingMessage): Promise<boolean> {
    // On paper. Exchanges of ours are topic or direct, and no name of a queue holds a wildcard.
    return this.again(({ bindings }) =>
      bindings.some(({ source, pattern }) => source === exchange && topicMatches(pattern, routingKey)),
    );
  }

  withQueue(queue: string): Promise<boolean> {
    return this.again(({ queues }) => queues.some(({ name }) => name === queue));
  }

  /** @throws ConnectError if there is none */
  live(): ChannelModel {
    const { model } = this.connections.consume;
    if (!model)
      throw new ConnectError(
        'there is no connection to the broker at the moment',
        'Try again when it is back.',
      );
    return model;
  }

  private async again(concerns: (plan: TopologyPlan) => boolean): Promise<boolean> {
    const concerned = this.all.filter(
      ({ mode, plan, delays }) => mode === 'declare' && (concerns(plan) || (delays && concerns(delays))),
    );
    await Promise.all(concerned.map((declared) => this.mend(declared)));
    return concerned.length > 0;
  }

  /** Once for all who miss something of it at the same time. */
  private mend(declared: Declared): Promise<void> {
    declared.mending ??= this.declareWhole(declared).finally(() => {
      declared.mending = undefined;
    });
    return declared.mending;
  }

  private async declareWhole({ plan, delays }: Declared): Promise<void> {
    const parts = delays ? [delays, plan] : [plan];
    const exchanges = parts.flatMap((part) => part.exchanges.map(({ name }) => name));
    this.mended.holdBack(exchanges, true);
    try {
      await this.onLive(async (model) => {
        const missing = await missingExchanges(model, plan);
        this.mended.remade(missing);
        // The delays' marker may be there though another of their exchanges is gone.
        for (const part of parts) await declarePlan(model, part, 'declare');
        // Their minute begins now.
        this.mended.remade(missing);
      });
    } finally {
      this.mended.holdBack(exchanges, false);
    }
  }

  /** The connection that publishes may be back before this one, and this one may go meanwhile. */
  private async onLive(work: (model: ChannelModel) => Promise<void>): Promise<void> {
    const { consume } = this.connections;
    const deadline = new Deadline(systemClock, MEND_WITHIN_MS);
    for (;;) {
      await consume.whenUp(deadline);
      const model = this.live();
      try {
        return await work(model);
      } catch (error) {
        if (error instanceof HoplineError || consume.model === model) throw error;
      }
    }
  }

  /**
   * Over each connection but the first: an emptied broker is seen before the first publish meets it, or before somebody else has
   * made the exchange and not yet what is bound to it.
   */
  private connected(): void {
    if (this.wasUp) void this.lookAfterExchanges().catch(() => {});
    this.wasUp = true;
  }

  private async lookAfterExchanges(): Promise<void> {
    for (const declared of this.all) {
      if (declared.mode !== 'declare' || declared.mending !== undefined) continue;
      const missing = await missingExchanges(this.live(), declared.plan);
      if (missing.length > 0) await this.mend(declared);
    }
  }
}

async function declareOn(
  model: ChannelModel,
  { own, delays }: BusTopology,
  mode: TopologyMode,
): Promise<void> {
  // In every mode: what the broker silently doesn't do is wrong however the queue came to be.
  requireFeatures(own, brokerFeatures(model.connection.serverProperties));
  // The delays first: queues are bound to their last exchange.
  if (delays) await declareShared(model, delays, mode);
  await declarePlan(model, own, mode);
}

const noAnswer = () =>
  new ConnectError(
    'the broker did not answer in time while the topology was declared',
    'Look at the load and the alarms of the broker, and whether its node is cut off from the others.',
  );

const cantDeclare = (cause: Error) => notPossible("the topology can't be declared", cause);
