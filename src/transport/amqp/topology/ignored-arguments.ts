import type { ChannelModel } from 'amqplib';
import type { TopologyPlan } from '../../../topology/plan.js';
import type { Logger } from '../../../util/logger.js';
import { brokerFeatures, ignoredArguments } from '../connection/broker-features.js';

const IGNORED =
  "the broker ignores an argument of a queue, which can't be changed once the queue is there: `hopline topology migrate` moves the messages to one that has others";

/** Warns of arguments that do nothing on this broker, which says nothing of them itself. */
export function warnOfIgnored(model: ChannelModel, { queues }: TopologyPlan, log: Logger): void {
  const { serverProperties } = model.connection;
  const { name: broker } = brokerFeatures(serverProperties);
  for (const ignored of ignoredArguments(queues, serverProperties)) log.warn({ ...ignored, broker }, IGNORED);
}
