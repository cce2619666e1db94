import type { DeadLetterReason } from '../../events.js';
import { textIn } from '../../message/headers.js';
import type { Headers } from '../../message/properties.js';
import type { DeadLetterSummary } from './dead-letter.js';

/*
 * Messages in the error queues of other frameworks, by the headers in which they say what went wrong. Sources:
 * https://docs.particular.net/nservicebus/messaging/headers#error-forwarding-headers,
 * https://masstransit.io/documentation/concepts/exceptions#error-pipe, and Spring AMQP's RepublishMessageRecoverer.
 */

export type ForeignFramework = 'masstransit' | 'nservicebus' | 'spring';

/** What such a message tells of its failure. */
export interface ForeignStory
  extends Pick<
    DeadLetterSummary,
    'queue' | 'exchange' | 'routingKey' | 'failedAt' | 'error' | 'handler' | 'attempts'
  > {
  readonly by: ForeignFramework;
  readonly reason: DeadLetterReason;
  readonly stack: string | undefined;
}

/** Headers that each framework adds when it gives up: a retry goes without them, as from its own tools. */
const FAULT_HEADERS: Readonly<Record<ForeignFramework, RegExp>> = {
  masstransit: /^MT-(?:Fault-.+|Host-.+|Reason)$/,
  nservicebus:
    /^NServiceBus\.(?:ExceptionInfo\..+|FailedQ|TimeOfFailure|Retries|Retries\.Timestamp|FLRetries)$/,
  spring: /^x-(?:exception-(?:message|stacktrace)|original-(?:exchange|routingKey))$/,
};

export const isFaultHeader = (by: ForeignFramework, name: string): boolean => FAULT_HEADERS[by].test(name);

export const isForeign = (by: DeadLetterSummary['by']): by is ForeignFramework =>
  Object.hasOwn(FAULT_HEADERS, by);

/** Undefined for a message of none of these. @param deadQueue queue that it lies in */
export function foreignStory(headers: Headers, deadQueue: string): ForeignStory | undefined {
  return massTransit(headers, deadQueue) ?? serviceBus(headers) ?? spring(headers);
}

function massTransit(headers: Headers, deadQueue: string): ForeignStory | undefined {
  const address = textIn(headers, 'MT-Fault-InputAddress');
  const message = textIn(headers, 'MT-Fault-Message');
  const reason = textIn(headers, 'MT-Reason');
  if (address === undefined && message === undefined && reason === undefined) return undefined;
  // Where no address is told, the name of its error queue has it.
  const queue = address === undefined ? /^(.+)_(?:error|skipped)$/.exec(deadQueue)?.[1] : queueOf(address);
  const retries = Number(headers['MT-Fault-RetryCount'] ?? Number.NaN);
  return {
    by: 'masstransit',
    // What no consumer was there for goes to `_skipped`.
    reason: reason === 'dead-letter' ? 'no-handler' : 'exhausted',
    ...addressOf(queue),
    error: errorOf(textIn(headers, 'MT-Fault-ExceptionType'), message),
    stack: textIn(headers, 'MT-Fault-StackTrace'),
    handler: textIn(headers, 'MT-Fault-ConsumerType'),
    attempts: Number.isSafeInteger(retries) ? retries + 1 : undefined,
    failedAt: dateOf(textIn(headers, 'MT-Fault-Timestamp')),
  };
}

function serviceBus(headers: Headers): ForeignStory | undefined {
  const failed = textIn(headers, 'NServiceBus.FailedQ');
  const type = textIn(headers, 'NServiceBus.ExceptionInfo.ExceptionType');
  if (failed === undefined && type === undefined) return undefined;
  return {
    by: 'nservicebus',
    reason: 'exhausted',
    // A machine's name follows, from transports whose queues belong to one.
    ...addressOf(failed?.split('@')[0]),
    error: errorOf(type, textIn(headers, 'NServiceBus.ExceptionInfo.Message')),
    stack: textIn(headers, 'NServiceBus.ExceptionInfo.StackTrace'),
    handler: undefined,
    attempts: undefined,
    // As `2014-11-11 02:26:58:000462 Z`.
    failedAt: dateOf(
      textIn(headers, 'NServiceBus.TimeOfFailure')?.replace(/^(\S+) (\S+):(\d{3})\d* Z$/, '$1T$2.$3Z'),
    ),
  };
}

/** It does not say which queue the message failed in, but where it was published to. */
function spring(headers: Headers): ForeignStory | undefined {
  const message = textIn(headers, 'x-exception-message');
  const stack = textIn(headers, 'x-exception-stacktrace');
  if (message === undefined && stack === undefined) return undefined;
  const exchange = textIn(headers, 'x-original-exchange') ?? '';
  const routingKey = textIn(headers, 'x-original-routingKey') ?? '';
  return {
    by: 'spring',
    reason: 'exhausted',
    queue: exchange === '' && routingKey !== '' ? routingKey : undefined,
    exchange,
    routingKey,
    error: errorOf(classIn(stack, message), message),
    stack,
    handler: undefined,
    attempts: undefined,
    failedAt: undefined,
  };
}

/** Only the queue is known, which is also a key of the default exchange. */
const addressOf = (queue: string | undefined) => ({
  queue: queue || undefined,
  exchange: '',
  routingKey: queue ?? '',
});

/** Queue in an address such as `rabbitmq://host:5672/vhost/submit-order?durable=true`, or `queue:submit-order`. */
function queueOf(address: string): string | undefined {
  const [path = ''] = address.split('?');
  const name = path.split(/[/:]/).at(-1) ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function errorOf(type: string | undefined, message: string | undefined): string | undefined {
  if (type === undefined && message === undefined) return undefined;
  return type === undefined ? message : `${type}: ${message ?? ''}`;
}

/** Class of the exception with this message, else of the first, in a stack of Java's, which has its causes below it. */
function classIn(stack: string | undefined, message: string | undefined): string | undefined {
  const lines = (stack ?? '').slice(0, 65_536).split('\n');
  const classes = lines.flatMap((line) => {
    const [, name, text] =
      /^(?:Caused by: )?([\w$]{1,100}(?:\.[\w$]{1,100}){0,20})(?:: (.{0,2000}))?\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, text }];
  });
  const [first = undefined] = classes;
  return (classes.find(({ text }) => text === message?.split('\n')[0]) ?? first)?.name;
}

function dateOf(text: string | undefined): Date | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at);
}
