import { Bus, type MessageContext, rabbitmq } from 'hopline';

export interface Handled {
  readonly handler: string;
  readonly payload: unknown;
  readonly context: MessageContext;
}

/**
 * A service whose queues had other names before, as a command loads it; the tests start it, too.
 *
 * @param handled what its handlers are given
 */
export default function mailer(handled: Handled[] = [], url = process.env.AMQP_URL): Bus {
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
