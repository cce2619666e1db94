import type { ExchangeRef } from '../message/exchange-option.js';
import { baseExchangeOf } from './names.js';

interface Said {
  readonly exchange: ExchangeRef;
  /** Who says it. */
  readonly by: string;
}

/** What is said of exchanges in a bus, by name: where only the name is given, what is said elsewhere holds. */
export class SaidExchanges {
  private readonly said = new Map<string, Said>();

  /**
   * Notes what is said of an exchange.
   *
   * @param by who says it, for the problem
   * @returns a problem if something else was said before; undefined without one
   */
  add(exchange: ExchangeRef, by: string): string | undefined {
    if (!saysMore(exchange)) return undefined;
    const before = this.said.get(exchange.name);
    if (!before) this.said.set(exchange.name, { exchange, by });
    if (!before || isAlike(before.exchange, exchange)) return undefined;
    return `exchange '${exchange.name}' is ${shownExchange(before.exchange)} in ${before.by}, and ${shownExchange(exchange)} in ${by}: say it once, or alike`;
  }

  /** The exchange with what is said of it, or of the one whose lane it is. */
  whole(exchange: ExchangeRef): ExchangeRef {
    if (this.said.size === 0 || saysMore(exchange)) return exchange;
    const { name, declare } = exchange;
    const known = this.said.get(name) ?? this.said.get(baseExchangeOf(name));
    return known ? { ...known.exchange, name, declare } : exchange;
  }

  clear(): void {
    this.said.clear();
  }
}

const saysMore = ({ type, arguments: its }: ExchangeRef): boolean => type !== undefined || its !== undefined;

/** Type and arguments, for messages and for comparing. */
export function shownExchange({
  type = 'topic',
  arguments: its = {},
}: Omit<ExchangeRef, 'name' | 'declare'>): string {
  const shown = Object.keys(its)
    .sort()
    .map((name) => `${name}: ${JSON.stringify(its[name])}`);
  return shown.length > 0 ? `${type} (${shown.join(', ')})` : type;
}

/** What was said in the same place is not compared in words: each publish to a typed exchange says it again. */
const isAlike = (one: ExchangeRef, other: ExchangeRef): boolean =>
  (one.type === other.type && one.arguments === other.arguments) ||
  shownExchange(one) === shownExchange(other);
