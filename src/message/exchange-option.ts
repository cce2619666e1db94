import { type Check, isPlainObject } from '../util/check.js';

/**
 * How an exchange routes: one of the four types of the protocol (AMQP 0-9-1, 3.1.3), or one that a plugin of the broker brings, such as
 * `x-consistent-hash`.
 */
export type ExchangeType = 'topic' | 'direct' | 'fanout' | 'headers' | `x-${string}`;

/** Value of an argument of an exchange, a queue or a binding. */
export type ArgumentValue = string | number | boolean;

/** Arguments by the names that the broker has for them. */
export type Arguments = Readonly<Record<string, ArgumentValue>>;

/** An exchange. All that name the same one must say the same of it. */
export interface ExchangeOptions {
  /** Name in the broker, used without a prefix. */
  readonly name: string;
  /** Type of the exchange. It can't be changed once the exchange exists. @default 'topic' */
  readonly type?: ExchangeType;
  /** Arguments for its declaration. They can't be changed once the exchange exists. @default none */
  readonly arguments?: Arguments;
  /** False for an exchange that belongs to someone else: it is only checked. @default true */
  readonly declare?: boolean;
}

/** A topic exchange by name, or an exchange of any type by its options. */
export type ExchangeOption = string | ExchangeOptions;

/** The option as it is used. */
export interface ExchangeRef {
  readonly name: string;
  /** @default 'topic' */
  readonly type?: ExchangeType | undefined;
  readonly arguments?: Arguments | undefined;
  /** False if the exchange only has to exist. */
  readonly declare: boolean;
}

export function exchangeRef(option: ExchangeOption): ExchangeRef {
  if (typeof option === 'string') return { name: option, declare: true };
  const { declare = true, ...rest } = option;
  return { ...rest, declare };
}

const TYPES: ReadonlySet<unknown> = new Set(['topic', 'direct', 'fanout', 'headers']);

const isExchangeType = (value: unknown): boolean =>
  TYPES.has(value) || (typeof value === 'string' && /^x-./.test(value));

/** True for a table of arguments whose values the broker can take. */
export const isArguments = (value: unknown): value is Arguments =>
  isPlainObject(value) &&
  Object.values(value).every(
    (each) => ['string', 'boolean'].includes(typeof each) || Number.isSafeInteger(each),
  );

/** A table of arguments. */
export const argumentsOption: Check = {
  expected: "an object of the broker's argument names, each with a string, an integer or a boolean",
  accepts: isArguments,
};

export const exchangeOption: Check = {
  expected: "an exchange's name, or { name, type, arguments, declare }",
  accepts: (value) =>
    typeof value === 'string' ||
    (isPlainObject(value) &&
      typeof value.name === 'string' &&
      (value.type === undefined || isExchangeType(value.type)) &&
      (value.arguments === undefined || isArguments(value.arguments)) &&
      (value.declare === undefined || typeof value.declare === 'boolean')),
};
