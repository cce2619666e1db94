import { OptionsError } from '../../../errors.js';
import type { Publisher } from '../../../message/publisher.js';
import { having, problemsOf, required, shortPlainText } from '../../../util/check.js';
import type { OutboxOptions, SqlClient } from '../../outbox.js';

/** The part of a bus that `outbox()` needs. */
export interface OutboxBus {
  outbox(client: SqlClient, options: OutboxOptions): Publisher;
}

const ARGUMENTS = {
  bus: required(having('a bus', 'outbox')),
  client: required(having('a client of the transaction, with query(text, values)', 'query')),
  orderKey: shortPlainText,
};

/**
 * Publisher within a transaction: it adds messages to the outbox by the client, in the client's transaction.
 * After a commit a relay publishes them; after a rollback they are gone.
 *
 * The bus need not be started: it only checks and serializes. The outbox belongs to its `stores`.
 *
 * @param client a client of pg, or `{ query: (text, values) => … }` around a query builder's transaction: see
 * docs/outbox.md
 * @throws OptionsError if the bus's stores have no outbox, or the order key is invalid
 */
export function outbox(bus: OutboxBus, client: SqlClient, options: OutboxOptions = {}): Publisher {
  const problems = problemsOf({ bus, client, ...options }, '', ARGUMENTS);
  if (problems.length > 0) throw new OptionsError('outbox', problems);
  return bus.outbox(client, options);
}
