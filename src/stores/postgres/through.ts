import { OptionsError } from '../../errors.js';
import type { Publisher } from '../../message/publisher.js';
import { having, problemsOf, required, shortPlainText } from '../../util/check.js';
import type { OutboxOptions, SqlClient } from '../outbox.js';

/** What `outbox()` has of a bus. */
export interface OutboxBus {
  outbox(client: SqlClient, options: OutboxOptions): Publisher;
}

const ARGUMENTS = {
  bus: required(having('a bus', 'outbox')),
  client: required(having('a client of the transaction, with query(text, values)', 'query')),
  orderKey: shortPlainText,
};

/**
 * Publishes with a transaction: what is published through it is added to the outbox by the client, in the transaction that this
 * is in. When it is committed, a relay publishes it; when it is rolled back, nothing ever is.
 *
 * The bus need not be started: it only checks and serializes. Its `stores` say where the outbox is.
 *
 * @param client a client of pg, or `{ query: (text, values) => … }` around that of a query builder: see docs/outbox.md
 * @throws OptionsError if the bus's stores have no outbox, or the order key is none
 */
export function outbox(bus: OutboxBus, client: SqlClient, options: OutboxOptions = {}): Publisher {
  const problems = problemsOf({ bus, client, ...options }, '', ARGUMENTS);
  if (problems.length > 0) throw new OptionsError('outbox', problems);
  return bus.outbox(client, options);
}
