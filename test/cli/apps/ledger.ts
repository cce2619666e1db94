import { Bus, rabbitmq } from 'hopline';
import { ledgerOf } from './ledger-of.js';

/** The service with the options that its queue is to have. */
export default ledgerOf(
  { Bus, rabbitmq },
  {
    url: process.env.AMQP_URL,
    options: JSON.parse(process.env.LEDGER ?? '{}'),
    handle: () => {},
    prefix: process.env.LEDGER_PREFIX,
  },
);
