import type { Channel, ChannelModel } from 'amqplib';
import type { TopologyMode } from '../../../topology/bus-topology.js';
import {
  type BindingPlan,
  type ConsumersPart,
  type ExchangePlan,
  goesWithConsumer,
  type QueuePlan,
  type SharedPlan,
  type TopologyPlan,
} from '../../../topology/plan.js';
import type { ChannelError } from '../connection/channel.js';
import { refusedForeign } from '../consume/refused-to-consume.js';
import { explained } from './refused-to-declare.js';

/** One resource to declare or to check. */
interface Step {
  /** Name for errors: `queue 'mailer'`. */
  readonly resource: string;
  /** Permission needed for declaring it. */
  readonly right: string;
  declare(channel: Channel): Promise<unknown>;
  /**
   * Passive check: needs any permission on the resource, or none before RabbitMQ 4.2.6. Undefined for resources
   * without a passive check.
   */
  check?(channel: Channel): Promise<unknown>;
  readonly verifyOnly?: boolean;
  /** The refusal of something that belongs to someone else, with advice. */
  refused?(error: ChannelError): Error;
  readonly ifDiffers?: (() => void) | undefined;
}

/**
 * Declares a plan: exchanges, then queues, then bindings. A resource that may only be checked (no configure
 * permission) is used as it is.
 *
 * @throws TopologyError naming the refused resource
 */
export async function declarePlan(
  model: ChannelModel,
  plan: TopologyPlan,
  mode: TopologyMode,
): Promise<void> {
  if (mode !== 'none') await onLanes(model, (lanes) => makeTrue(lanes, plan, mode));
}

/** The same for a shared plan, whose marker is declared last and shows that the whole plan exists. */
export async function declareShared(
  model: ChannelModel,
  plan: SharedPlan,
  mode: TopologyMode,
): Promise<void> {
  if (mode === 'none') return;
  const marker = exchangeStep(plan.marker);
  await onLanes(model, async (lanes) => {
    if (mode === 'verify') return runAll(lanes, [marker], mode);
    if (await exists(lanes[0], marker)) return;
    await makeTrue(lanes, plan, mode);
    await runAll(lanes, [marker], mode);
  });
}

/**
 * Declares a queue that goes with its consumers, on the channel of one of them.
 *
 * @throws TopologyError naming the refused resource; the broker has closed the channel then
 */
export async function declareForConsumer(
  channel: Channel,
  { queue, bindings }: ConsumersPart,
  isDurable: boolean,
): Promise<void> {
  for (const step of [queueStep(queue, isDurable), ...bindings.map(bindingStep)]) {
    await step.declare(channel).catch((error) => {
      throw explained(step, error, 'declare');
    });
  }
}

async function makeTrue(lanes: Lanes, plan: TopologyPlan, mode: TopologyMode): Promise<void> {
  await runAll(lanes, plan.exchanges.map(exchangeStep), mode);
  await runAll(
    lanes,
    plan.queues.map((queue) => queueStep(queue)),
    mode,
  );
  if (mode === 'declare') await runAll(lanes, plan.bindings.map(bindingStep), mode);
}

/** Exchanges of a plan that don't exist; an exchange that may not be checked counts as existing. */
export async function missingExchanges(
  model: ChannelModel,
  { exchanges }: Pick<TopologyPlan, 'exchanges'>,
): Promise<string[]> {
  return onLanes(model, async ([lane]) => {
    const missing: string[] = [];
    for (const { name, verifyOnly } of exchanges) {
      const error = verifyOnly
        ? undefined
        : await lane.run((channel) => channel.checkExchange(name)).catch((cause: ChannelError) => cause);
      if (error && error.code === undefined) throw error;
      if (error?.code === 404) missing.push(name);
    }
    return missing;
  });
}

/** The plan without the queues of others that aren't there at the moment: nothing else of it has to wait for them. */
export async function withoutMissing(model: ChannelModel, plan: TopologyPlan): Promise<TopologyPlan> {
  const foreign = plan.queues.filter(({ verifyOnly }) => verifyOnly);
  if (foreign.length === 0) return plan;
  return onLanes(model, async ([lane]) => {
    const missing = new Set<string>();
    for (const { name } of foreign)
      if (!(await exists(lane, queueStep({ name, arguments: {} })))) missing.add(name);
    return {
      ...plan,
      queues: plan.queues.filter(({ name }) => !missing.has(name)),
      bindings: plan.bindings.filter(({ destination }) => !missing.has(destination)),
    };
  });
}

/** The broker answers one request at a time on a channel; several channels pipeline them. Opened as they are needed. */
type Lanes = readonly [DeclareChannel, DeclareChannel, DeclareChannel, DeclareChannel];

async function onLanes<T>(model: ChannelModel, use: (lanes: Lanes) => Promise<T>): Promise<T> {
  const lane = () => new DeclareChannel(model);
  const lanes: Lanes = [lane(), lane(), lane(), lane()];
  try {
    return await use(lanes);
  } finally {
    // Not waited for: what was declared is there, and a start would stand still for as long as the broker takes to answer.
    for (const each of lanes) void each.close();
  }
}

async function runAll(lanes: Lanes, steps: readonly Step[], mode: TopologyMode): Promise<void> {
  const queue = [...steps];
  const running = lanes.slice(0, steps.length).map((lane) => runLane(lane, queue, mode));
  const results = await Promise.allSettled(running);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function runLane(lane: DeclareChannel, queue: Step[], mode: TopologyMode): Promise<void> {
  try {
    for (let step = queue.shift(); step; step = queue.shift()) await runStep(lane, step, mode);
  } catch (error) {
    // The other channels stop, too.
    queue.length = 0;
    throw error;
  }
}

async function runStep(lane: DeclareChannel, step: Step, mode: TopologyMode): Promise<void> {
  if (mode === 'verify' || step.verifyOnly) {
    await lane
      .run((channel) => step.check?.(channel) ?? Promise.resolve())
      .catch((error) => {
        throw explained(step, error, 'verify');
      });
    return;
  }
  try {
    await lane.run((channel) => step.declare(channel));
  } catch (error) {
    // Without configure permission an existing resource is used as it is.
    const { code } = error as ChannelError;
    const mayBeUsed = code === 403 || (code === 406 && step.ifDiffers !== undefined);
    const isThere = mayBeUsed && step.check && (await exists(lane, step).catch(() => false));
    if (!isThere) throw explained(step, error as ChannelError, 'declare');
    if (code === 406) step.ifDiffers?.();
  }
}

async function exists(lane: DeclareChannel, step: Step): Promise<boolean> {
  try {
    await lane.run((channel) => step.check?.(channel) as Promise<unknown>);
    return true;
  } catch (error) {
    if ((error as ChannelError).code === 404) return false;
    throw explained(step, error as ChannelError, 'verify');
  }
}

/** A channel for requests that may fail: the broker closes it on each failure, and the next request needs a new one. */
class DeclareChannel {
  private channel: Channel | undefined;

  constructor(private readonly model: ChannelModel) {}

  async run(request: (channel: Channel) => Promise<unknown>): Promise<void> {
    const channel = this.channel ?? (await this.open());
    await request(channel);
  }

  /** Never rejects. */
  async close(): Promise<void> {
    try {
      await this.channel?.close();
    } catch {
      // It is gone already, perhaps with its connection.
    }
  }

  private async open(): Promise<Channel> {
    const channel = await this.model.createChannel();
    this.channel = channel;
    // The error is reported by the request's own rejection; without a listener it would close the connection.
    channel.on('error', () => {});
    channel.on('close', () => {
      if (this.channel === channel) this.channel = undefined;
    });
    return channel;
  }
}

function exchangeStep(plan: ExchangePlan): Step {
  const { name, type, alternateExchange, arguments: its, verifyOnly } = plan;
  const options = { durable: true, ...(alternateExchange && { alternateExchange }), arguments: { ...its } };
  return {
    resource: `exchange '${name}'`,
    right: `configure on '${name}'`,
    declare: (channel) => channel.assertExchange(name, type, options),
    check: (channel) => channel.checkExchange(name),
    verifyOnly: verifyOnly ?? false,
  };
}

function queueStep(plan: QueuePlan, durable = true): Step {
  const { name, arguments: args } = plan;
  // A quorum queue can't be auto-delete.
  const autoDelete = goesWithConsumer(plan) && args['x-queue-type'] === 'classic';
  const deadLetters = args['x-dead-letter-exchange'];
  return {
    resource: `queue '${name}'`,
    right: `configure on '${name}'${deadLetters ? `, read on it and write on '${deadLetters}'` : ''}`,
    declare: (channel) => channel.assertQueue(name, { durable, autoDelete, arguments: args }),
    check: (channel) => channel.checkQueue(name),
    ...(plan.verifyOnly ? { verifyOnly: true, refused: (error) => refusedForeign(name, error) } : {}),
    ifDiffers: plan.ifDiffers,
  };
}

function bindingStep(plan: BindingPlan): Step {
  const { source, destination, destinationType, pattern, arguments: its = {} } = plan;
  return {
    resource: `binding '${pattern}' from '${source}' to ${destinationType} '${destination}'`,
    right: `read on '${source}' and write on '${destination}'`,
    declare: (channel) =>
      destinationType === 'queue'
        ? channel.bindQueue(destination, source, pattern, its)
        : channel.bindExchange(destination, source, pattern, its),
  };
}
