import { OptionsError } from '../errors.js';
import { DEFAULT_EXCHANGE, type ExchangeRef } from '../message/exchange-option.js';
import { type BusTopology, exchangesOf } from '../topology/bus-topology.js';
import { SaidExchanges } from '../topology/said-exchanges.js';

/**
 * Exchanges that exist, so that only the first publish to an exchange other than the bus's asks the broker; and what the bus says of them.
 */
export class KnownExchanges {
  /** Declarations by exchange name, finished or under way. The default exchange needs none. */
  private readonly known = new Map<string, Promise<void>>();
  private readonly said = new SaidExchanges();

  /** @param declare declares the exchanges or verifies them, by the mode of the bus */
  constructor(private readonly declare: (topology: BusTopology) => Promise<void>) {
    this.clear();
  }

  /** Notes the exchanges that were declared with the bus. */
  add(topology: BusTopology): void {
    for (const exchange of exchangesOf(topology)) {
      this.known.set(exchange.name, Promise.resolve());
      this.said.add(exchange, 'its handlers and options');
    }
  }

  clear(): void {
    this.known.clear();
    this.said.clear();
    this.known.set(DEFAULT_EXCHANGE.name, Promise.resolve());
  }

  /** An exchange with all that the bus has said of it. */
  whole(exchange: ExchangeRef): ExchangeRef {
    return this.said.whole(exchange);
  }

  /**
   * Resolves when the exchange exists.
   *
   * @throws OptionsError if the bus says something else of it
   * @throws TopologyError, ConnectError; the operator may lift a refusal, so the next call asks again
   */
  ensure(given: ExchangeRef): Promise<void> {
    const exchange = this.whole(given);
    const { name } = exchange;
    const problem = this.said.add(exchange, 'this publish');
    if (problem) return Promise.reject(new OptionsError('publish', [problem]));
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const ensured = this.declare({ exchanges: [exchange], queues: [] });
    this.known.set(name, ensured);
    ensured.catch(() => this.known.delete(name));
    return ensured;
  }
}
