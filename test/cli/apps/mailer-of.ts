import type { Bus, MessageContext } from '../../../src/index.js';
import type { Hopline } from './shop-of.js';

export interface Handled {
  readonly handler: string;
  readonly payload: unknown;
  readonly context: MessageContext;
}

/**
 * A service whose queues had other names before, for a test that starts it.
 *
 * @param handled what its handlers are given
 */
export function mailerOf(
  { Bus, rabbitmq }: Hopline,
  handled: Handled[] = [],
  url = process.env.AMQP_URL,
): Bus {
  const as = (handler: string) => (payload: unknown, context: MessageContext) =>
    void handled.push({ handler, payload, context });
  return new Bus({ service: 'mailer', transport: rabbitmq({ url }) })
    .handle('email.welcome', as('Welcome'), {
      name: 'Welcome',
      queue: { name: 'mailer.welcome', lanes: ['high', 'default'] },
    })
    .handle('email.#', as('Audit'), { name: 'Audit', queue: 'mailer.audit' })
    .handle('report.due', as('Reports'), {
      name: 'Reports',
      queue: { name: 'mailer.reports', type: 'classic' },
    });
}
