import type { ExchangeRef } from '../message/exchange-option.js';
import { type BusTopology, exchangesOf } from '../topology/bus-topology.js';

/**
 * Exchanges that exist, so that only the first publish to an exchange other than the bus's asks the broker.
 */
export class KnownExchanges {
  /** Declarations by exchange name, finished or under way. */
  private readonly known = new Map<string, Promise<void>>();

  /** @param declare declares the exchanges or verifies them, by the mode of the bus */
  constructor(private readonly declare: (topology: BusTopology) => Promise<void>) {}

  /** Notes the exchanges that were declared with the bus. */
  add(topology: BusTopology): void {
    for (const { name } of exchangesOf(topology)) this.known.set(name, Promise.resolve());
  }

  clear(): void {
    this.known.clear();
  }

  /**
   * Resolves when the exchange exists.
   *
   * @throws TopologyError, ConnectError; the operator may lift a refusal, so the next call asks again
   */
  ensure(exchange: ExchangeRef): Promise<void> {
    const { name } = exchange;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const ensured = this.declare({ exchanges: [exchange], queues: [] });
    this.known.set(name, ensured);
    ensured.catch(() => this.known.delete(name));
    return ensured;
  }
}
