import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/** golevelup 9 closes its channels while they consume: what a handler has begun by then is handled again. This cancels first. */
@Injectable()
export class QuietStop implements BeforeApplicationShutdown {
  constructor(private readonly amqp: AmqpConnection) {}

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.amqp.consumerTags.map((tag) => this.amqp.cancelConsumer(tag)));
  }
}
