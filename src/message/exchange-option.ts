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

/** An exchange. Its type and arguments are said once in a bus, or alike: elsewhere its name is enough. */
export interface ExchangeOptions {
  /** Name in the broker, used without a prefix. */
  readonly name: string;
  /**
   * Type of the exchange. It can't be changed once the exchange exists. @default 'topic'; of `amq.direct`, `amq.fanout`, `amq.headers` and
   * `amq.match` the one that they have in every broker
   */
  readonly type?: ExchangeType;
  /**
   * Arguments for its declaration. Of an exchange that exists the broker compares only `alternate-exchange`, and ignores what is said of
   * others now. @default none
   */
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

/** The exchange that leads a message to the queue that its key names. It is there in every vhost, and nothing is bound to it. */
export const DEFAULT_EXCHANGE: ExchangeRef = { name: '', type: 'direct', declare: false };

/** Exchanges of every vhost beside that (AMQP 0-9-1, 3.1.3; RabbitMQ's `amq.headers`). */
export const PREDECLARED: ReadonlyMap<string, ExchangeType> = new Map([
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
  ['amq.topic', 'topic'],
]);

export function exchangeRef(option: ExchangeOption): ExchangeRef {
  const { declare = true, ...rest }: ExchangeOptions = typeof option === 'string' ? { name: option } : option;
  const type = rest.type ?? PREDECLARED.get(rest.name);
  return { ...rest, ...(type && { type }), declare };
}

/** The option that says all of an exchange, in its shortest form. */
export function exchangeOptionOf(exchange: ExchangeRef): ExchangeOption {
  const { name, type, arguments: its, declare } = exchange;
  const isPlain = declare && its === undefined && (type === undefined || type === PREDECLARED.get(name));
  if (isPlain) return name;
  return { name, ...(type && { type }), ...(its && { arguments: its }), ...(declare ? {} : { declare }) };
}

const OPTIONS: ReadonlySet<string> = new Set(['name', 'type', 'arguments', 'declare']);

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
  expected:
    "an exchange's name, or { name, type, arguments, declare } with the type 'topic', 'direct', 'fanout', 'headers' or 'x-…'",
  accepts: (value) =>
    typeof value === 'string' ||
    (isPlainObject(value) &&
      Object.keys(value).every((name) => OPTIONS.has(name)) &&
      typeof value.name === 'string' &&
      (value.type === undefined || isExchangeType(value.type)) &&
      (value.arguments === undefined || isArguments(value.arguments)) &&
      (value.declare === undefined || typeof value.declare === 'boolean')),
};
