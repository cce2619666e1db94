import { memory, rabbitmq, type Transport } from 'hopline';

/** RabbitMQ if there is a URL, else a broker in this process. */
export function transportFor(amqpUrl: string | undefined): Transport {
  return amqpUrl ? rabbitmq({ url: amqpUrl }) : memory();
}
