import type { HandlerDefinition } from '../consume/handlers/definition.js';
import { CONSUMER_TIMEOUT } from '../consume/handlers/long-handlers.js';
import { Encryption } from '../encryption/encryption.js';
import { type EncryptionOptions, encryptionOption } from '../encryption/key-provider.js';
import { OptionsError } from '../errors.js';
import { publishesOption } from '../features/publishes/option.js';
import { type ExchangeOption, exchangeOption } from '../message/exchange-option.js';
import { type FailureLogOptions, failureLogOption, sumsEveryMs } from '../observe/failure-log/options.js';
import {
  type Middleware,
  type MiddlewareObject,
  middlewareOption,
  middlewareSettings,
} from '../pipeline/middleware.js';
import { RETRY_FIELDS, type RetryOptions } from '../retry/policy.js';
import { json } from '../serialization/json.js';
import type { Serializer } from '../serialization/serializer.js';
import { memoryStores } from '../stores/memory/index.js';
import type { Stores } from '../stores/stores.js';
import type { TopologyMode } from '../topology/bus-topology.js';
import { exchangeOptionProblem, queueNameProblem } from '../topology/names.js';
import type { Transport } from '../transport/transport.js';
import {
  type Check,
  duration,
  durationOrForever,
  type Fields,
  flag,
  having,
  isPlainObject,
  objectWith,
  oneOf,
  positiveDuration,
  positiveInteger,
  problemsOf,
  required,
  text,
} from '../util/check.js';
import { type Duration, toMs, toMsOrForever } from '../util/duration.js';
import { type Logger, loggerCheck, stderrLogger } from '../util/logger.js';
import { safeLogger } from '../util/safe-logger.js';
import { flattened, type HandlerDefinitions, isHandlerTree } from './handler-tree.js';
import { storesOption } from './stores-option.js';

/** Options of a {@link Bus}. */
export interface BusOptions {
  /**
   * Name of the service. Instances of one service share its queues; every other service gets its own copy of
   * each event.
   */
  service: string;
  /**
   * Version of the application, such as `1.4.2` or a commit: told in its status and on its dead letters, so that one sees with which
   * version a failure began. At most 100 bytes. @default none
   */
  version?: string;
  /** Connection to a broker: `rabbitmq({ url })` for a real one, `memory()` for tests and demos. */
  transport: Transport;
  /** Handlers, made by `handlers([...])`; `bus.handle()` adds more. @default none: the bus only publishes */
  handlers?: HandlerDefinitions;
  /** Retry policy of handlers that set none themselves. @default 5 tries, after 1 s, 4 s, 16 s, 1 min */
  retry?: RetryOptions;
  /** Maximum run time of one attempt, for handlers that set none themselves. @default '60s' */
  timeout?: Duration;
  /** Time that a timed-out handler may go on before its slot is freed and its message is retried. @default '5s' */
  timeoutGrace?: Duration;
  /**
   * Time that the broker waits for the end of a message that it has delivered, RabbitMQ's `consumer_timeout`: 1 s at least. A handler
   * whose messages may be kept for longer runs under a lease in `stores`, or is refused at `start()` where these are not shared and the
   * broker can't be told to wait longer. Set it if the broker's configuration or a policy says another time. @default '30m'
   */
  consumerTimeout?: Duration;
  /** Maximum messages of each queue that this process handles at once. @default 10 */
  concurrency?: number;
  /** Exchange to which the bus publishes, and from which its queues get their messages. @default `<prefix>.events` */
  exchange?: ExchangeOption;
  /** Prefix of the exchanges' names. Two applications in one vhost need different prefixes. @default 'hopline' */
  prefix?: string;
  /** Prefix of the delay queues' names, which all applications of a vhost share. @default 'hopline' */
  delayPrefix?: string;
  /**
   * Handling of exchanges, queues and bindings at `start()`: `declare` creates what is missing, `verify` only
   * checks and needs no configure permission, `none` does neither. @default 'declare'
   */
  topology?: TopologyMode;
  /**
   * Middleware around all that the bus consumes and publishes: a function wraps the code of handlers, an object also
   * deliveries and publishes. The first is the outermost; that of a handler is inside. @default []
   */
  middleware?: readonly Middleware[];
  /** Conversion of payloads to bytes, and back where neither queue nor handler sets `body`. @default `json()` */
  serializer?: Serializer;
  /** Keys for encrypting and decrypting messages. @default none: no message can be encrypted or decrypted */
  encryption?: EncryptionOptions;
  /** Maximum size of a body that is published or handled, in bytes. @default 16 MiB */
  maxBodyBytes?: number;
  /** Maximum publishes that wait for their confirm; further ones wait for room. @default 10,000 */
  maxInFlight?: number;
  /** Maximum bytes of bodies that wait for their confirm; further publishes wait for room. @default 64 MiB */
  maxInFlightBytes?: number;
  /** Maximum time of a publish from the call to the confirm. @default '30s' */
  publishDeadline?: Duration;
  /** Maximum time of `start()`; with `Infinity` it waits for the broker without limit. @default '30s' */
  startDeadline?: Duration;
  /** Maximum time of `stop()`, all its stages together. @default '30s' */
  stopDeadline?: Duration;
  /**
   * Time for which a message that no handler of its queue matches is released again and again, before it is
   * dead-lettered as `no-handler`. @default '10m'
   */
  unhandledRetryFor?: Duration;
  /**
   * Shared state of handlers: rate limits, handled messages, results of `once`, unique keys, leases, batches, outbox
   * and inbox. @default memory of this process: nothing is shared with other processes
   */
  stores?: Stores;
  /**
   * When messages leave that handlers publish which set none themselves, and whose queue sets none: `now`, at the call; or `after`, once
   * the attempt has succeeded. @default 'now'
   */
  publishes?: 'now' | 'after';
  /**
   * Publishes the messages in the outbox of `stores`. Several processes may do so at once. @default true if a
   * handler has an inbox, false otherwise
   */
  relayOutbox?: boolean;
  /**
   * Obeys the operator's commands: `hopline status`, `pause`, `scale` and so on. A bus without handlers never
   * does. @default true
   */
  operatorControl?: boolean;
  /**
   * Logs failures: each retry as a warning, each dead letter as an error, with stack and outcome. The first
   * failure of each handler and error class is logged at once; later ones are summed in one line every ten
   * seconds. Set `false` if you report failures by the events `message.retried` and `message.deadLettered`.
   * @default true
   */
  failureLog?: boolean | FailureLogOptions;
  /**
   * Logger for warnings and errors; a pino logger fits. The thrown value is in the field `err`. If the logger
   * throws, the line goes to standard error. @default standard error: lines for people, or JSON with
   * `HOPLINE_LOG=json` in the environment
   */
  log?: Logger;
}

/** The options with their defaults, durations in milliseconds. */
export interface BusSettings {
  readonly service: string;
  readonly version: string | undefined;
  readonly transport: Transport;
  readonly handlers: readonly HandlerDefinition[];
  readonly retry: RetryOptions | undefined;
  readonly timeoutMs: number;
  readonly timeoutGraceMs: number;
  readonly consumerTimeoutMs: number;
  readonly concurrency: number;
  readonly exchange: ExchangeOption;
  readonly prefix: string;
  readonly delayPrefix: string;
  readonly topology: TopologyMode;
  readonly middleware: readonly MiddlewareObject[];
  readonly serializer: Serializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly publishDeadlineMs: number;
  readonly startDeadlineMs: number;
  readonly stopDeadlineMs: number;
  readonly unhandledRetryForMs: number;
  readonly stores: Stores;
  readonly publishes: 'now' | 'after' | undefined;
  readonly relayOutbox: boolean | undefined;
  readonly operatorControl: boolean;
  /** Milliseconds between two sums of failures; undefined if failures are not logged. */
  readonly failureSumsEveryMs: number | undefined;
  readonly log: Logger;
}

const MiB = 1024 * 1024;

const DEFAULTS = {
  timeout: '60s',
  timeoutGrace: '5s',
  consumerTimeout: CONSUMER_TIMEOUT,
  concurrency: 10,
  prefix: 'hopline',
  delayPrefix: 'hopline',
  topology: 'declare',
  middleware: [],
  serializer: json(),
  maxBodyBytes: 16 * MiB,
  maxInFlight: 10_000,
  maxInFlightBytes: 64 * MiB,
  publishDeadline: '30s',
  startDeadline: '30s',
  stopDeadline: '30s',
  unhandledRetryFor: '10m',
  operatorControl: true,
  log: stderrLogger,
} as const satisfies Partial<BusOptions>;

const prefix: Check = {
  expected: 'a name of at most 100 bytes without wildcards or slashes',
  accepts: (value) =>
    text.accepts(value) && Buffer.byteLength(value as string) <= 100 && !/[*#/]/.test(value as string),
};

const version: Check = {
  expected: 'a text of at most 100 bytes',
  accepts: (value) => text.accepts(value) && Buffer.byteLength(value as string) <= 100,
};

const handlerTree: Check = { expected: 'what handlers([...]) returns', accepts: isHandlerTree };

/** Checks for the fields of {@link BusOptions}. */
export const BUS_FIELDS: Fields = {
  service: required(text),
  version,
  transport: required(having('a transport: rabbitmq({ url }) or memory()', 'open')),
  handlers: handlerTree,
  retry: objectWith(RETRY_FIELDS),
  timeout: positiveDuration,
  timeoutGrace: duration,
  consumerTimeout: positiveDuration,
  concurrency: positiveInteger,
  exchange: exchangeOption,
  prefix,
  delayPrefix: prefix,
  topology: oneOf('declare', 'verify', 'none'),
  middleware: middlewareOption,
  serializer: having('a serializer', 'serialize', 'deserialize'),
  encryption: encryptionOption,
  maxBodyBytes: positiveInteger,
  maxInFlight: positiveInteger,
  maxInFlightBytes: positiveInteger,
  publishDeadline: duration,
  startDeadline: durationOrForever,
  stopDeadline: duration,
  unhandledRetryFor: duration,
  stores: storesOption,
  publishes: publishesOption.check,
  relayOutbox: flag,
  operatorControl: flag,
  failureLog: failureLogOption,
  log: loggerCheck,
};

/** @throws OptionsError with all problems at once */
export function busSettings(options: BusOptions): BusSettings {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', BUS_FIELDS)
    : ['expected the options to be an object'];
  if (isPlainObject(options)) {
    const { service, exchange } = options;
    const serviceProblem = text.accepts(service) && queueNameProblem(service);
    if (serviceProblem) problems.push(serviceProblem.replace('queue name', 'service name'));
    const exchangeProblem = exchangeOptionProblem(exchange);
    if (exchangeProblem) problems.push(exchangeProblem);
    if (options.relayOutbox === true && isPlainObject(options.stores ?? {}) && !options.stores?.outbox)
      problems.push(
        'expected relayOutbox only with stores that have an outbox, as postgresStores() of hopline/postgres has',
      );
  }
  if (problems.length > 0) throw new OptionsError('Bus', problems);
  const withDefaults = {
    ...DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  const merged = withDefaults as typeof DEFAULTS & BusOptions;
  return {
    ...merged,
    log: safeLogger(merged.log),
    middleware: middlewareSettings(merged.middleware),
    handlers: flattened(options.handlers ?? []),
    version: options.version,
    retry: options.retry,
    publishes: options.publishes,
    relayOutbox: options.relayOutbox,
    encryption: options.encryption && new Encryption(options.encryption.keys, merged.transport.clock),
    exchange: options.exchange ?? `${merged.prefix}.events`,
    timeoutMs: toMs(merged.timeout),
    timeoutGraceMs: toMs(merged.timeoutGrace),
    consumerTimeoutMs: toMs(merged.consumerTimeout),
    publishDeadlineMs: toMs(merged.publishDeadline),
    startDeadlineMs: toMsOrForever(merged.startDeadline),
    stopDeadlineMs: toMs(merged.stopDeadline),
    unhandledRetryForMs: toMs(merged.unhandledRetryFor),
    failureSumsEveryMs: sumsEveryMs(merged.failureLog),
    stores: options.stores ?? memoryStores(merged.transport.clock),
  };
}
