import { TopologyError } from '../../../errors.js';

/** RabbitMQ's wording: 503 on the connection up to 3.13, 406 on the channel of 4.3.6 (tried on 3.10.8 and 4.3.6). */
const UNKNOWN = /unknown exchange type '([^']+)'/;

/** The type of exchange that the broker's reply says it does not know. */
export const unknownTypeIn = (reply: string): string | undefined => UNKNOWN.exec(reply)?.[1];

/** Plugins by the types that they bring. */
const PLUGINS: Readonly<Record<string, string>> = {
  'x-consistent-hash': 'rabbitmq_consistent_hash_exchange',
  'x-delayed-message': 'rabbitmq_delayed_message_exchange',
  'x-modulus-hash': 'rabbitmq_sharding',
  'x-random': 'rabbitmq_random_exchange',
  'x-recent-history': 'rabbitmq_recent_history_exchange',
  'x-jms-topic': 'rabbitmq_jms_topic_exchange',
};

export function unknownType(resource: string, type: string, cause: Error): TopologyError {
  const plugin = PLUGINS[type];
  const enable =
    type === 'x-local-random'
      ? 'RabbitMQ has it since 4.0'
      : plugin
        ? `Enable its plugin on each node of the broker: rabbitmq-plugins enable ${plugin}`
        : 'Enable the plugin that brings it on each node of the broker, or correct the type';
  return new TopologyError(
    resource,
    `${resource} can't be declared: the broker knows no type '${type}' (${cause.message})`,
    `${enable}; then start the service again.`,
    { cause },
  );
}
