import type { MessageContext } from 'hopline';
import { Handles, Queue, Retry, Timeout } from 'hopline/decorators';
import { WebhookClient } from '../webhook-client.js';
import type { Service } from './service.js';

/**
 * A queue for each subscriber: the broker copies every event into all of them, so what one subscriber makes us try
 * again, or give up, the others never notice.
 */
@Retry({ tries: 3, backoff: ['1s', '2s'] })
@Timeout('10s')
abstract class Delivery {
  protected abstract readonly subscriber: string;

  constructor(private readonly client: WebhookClient) {}

  async handle(payload: unknown, context: MessageContext): Promise<void> {
    await this.client.post(this.subscriber, payload, context);
  }
}

@Queue({ name: 'relay.delivery.healthy' })
@Handles('github.#')
class DeliverToHealthy extends Delivery {
  protected readonly subscriber = 'healthy';
}

@Queue({ name: 'relay.delivery.flaky' })
@Handles('github.#')
class DeliverToFlaky extends Delivery {
  protected readonly subscriber = 'flaky';
}

@Queue({ name: 'relay.delivery.refusing' })
@Handles('github.#')
class DeliverToRefusing extends Delivery {
  protected readonly subscriber = 'refusing';
}

/** Passes every event on to the subscribers. */
export const delivery: Service = {
  name: 'relay.delivery',
  classes: [DeliverToHealthy, DeliverToFlaky, DeliverToRefusing],
  provide: (container, { subscribersUrl, secret }) => {
    container.registerInstance(WebhookClient, new WebhookClient(subscribersUrl, secret));
  },
};
