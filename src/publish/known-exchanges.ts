import type { ExchangeRef } from '../message/exchange-option.js';
import type { BusTopology } from '../topology/plan.js';

/** Exchanges that are there, so that a publish to another one than the bus's asks the broker once. */
export class KnownExchanges {
  /** Known to exist, or on their way to. */
  private readonly known = new Map<string, Promise<void>>();

  /** @param declare makes them exist, or looks for them, as the mode of the bus says */
  constructor(private readonly declare: (topology: BusTopology) => Promise<void>) {}

  /** Notes what was declared with the bus. */
  add({ own }: BusTopology): void {
    for (const { name } of own.exchanges) this.known.set(name, Promise.resolve());
  }

  clear(): void {
    this.known.clear();
  }

  /**
   * Resolves when the exchange is there.
   *
   * @throws TopologyError, ConnectError; a refusal may be mended by the operator, so the next call asks again
   */
  ensure({ name, declare }: ExchangeRef): Promise<void> {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const plan = { name, type: 'topic' as const, ...(declare ? {} : { verifyOnly: true }) };
    const ensured = this.declare({ own: { exchanges: [plan], queues: [], bindings: [] } });
    this.known.set(name, ensured);
    ensured.catch(() => this.known.delete(name));
    return ensured;
  }
}
