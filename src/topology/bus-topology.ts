import type { Arguments, ExchangeRef } from '../message/exchange-option.js';
import type { BindingOption } from '../message/routing/binding-option.js';
import { laneExchangeOf } from './names.js';

export type QueueType = 'quorum' | 'classic';

/**
 * What a queue is for. `work`: messages that are kept until one process has handled them. `requests`: requests, which wait for a
 * reply and aren't kept; the queue goes with its last consumer, so that requesters learn at once that nobody is there. `process`: the
 * copy of one process, in a queue that goes with it.
 */
export type QueueKind = 'work' | 'requests' | 'process';

/** True for a queue whose messages may be dead-lettered, and wait in the delays. */
export const isKept = ({ kind }: { readonly kind: QueueKind }): boolean => kind !== 'requests';

/**
 * What must exist before messages can flow, as data. It says what is wanted; which exchanges, queues and bindings
 * that takes, the transport knows.
 */
export interface BusTopology {
  /** Exchanges that are published to, beside those of the queues' bindings. */
  readonly exchanges: readonly ExchangeRef[];
  /** Work queues, each with its lanes and a queue for its dead letters. */
  readonly queues: readonly QueueNeeds[];
  /** Delays of messages, which all buses of the broker share. @default false: they exist, or are not needed */
  readonly delays?: boolean;
  /** Queue of the service's guards, which go round while their jobs run. @default none */
  readonly guards?: string | undefined;
  /** Operators' requests and answers, and the list of paused queues. @default false */
  readonly control?: boolean;
  /** Queue of letters that operators have forgotten, which the broker keeps for a day. @default false */
  readonly trash?: boolean;
  /** Queues for one message each, which a newer one replaces. @default none */
  readonly kept?: readonly string[];
}

/** What operators need, and workers that obey them. */
export const CONTROL_TOPOLOGY: BusTopology = { exchanges: [], queues: [], control: true };

/** What the handlers of a queue need: the queue, its lanes and its bindings. */
export interface QueueNeeds {
  /** Of a `process`, that of its dead letters; each process's own queue has it with a word of its own behind. */
  readonly name: string;
  readonly kind: QueueKind;
  /** Names of the lanes; `default` is the queue itself. */
  readonly lanes: readonly string[];
  readonly type: QueueType;
  /** Failed deliveries after which the broker itself dead-letters; quorum queues only. */
  readonly deliveryLimit: number;
  /** Highest priority that must be obeyed. */
  readonly maxPriority: number | undefined;
  readonly bindings: readonly BindingNeeds[];
  /** False for a queue that belongs to someone else: it is used as it is, and nothing leads to it but what Hopline itself sends there. @default true */
  readonly declare?: boolean;
  /** Arguments for its declaration beside Hopline's own. @default none */
  readonly arguments?: Arguments | undefined;
}

/** What leads messages of an exchange to a queue. */
export interface BindingNeeds {
  readonly exchange: ExchangeRef;
  /** Pattern of the messages that a handler takes. */
  readonly pattern: string;
  /** How the exchange is asked for them. @default by the pattern, as its type does */
  readonly binding?: BindingOption | undefined;
}

/** `declare` creates the plan, `verify` checks it passively and needs no configure permission, `none` does neither. */
export type TopologyMode = 'declare' | 'verify' | 'none';

/** Every exchange that messages may be published to, lanes' included; one may occur more than once. */
export function exchangesOf({ exchanges, queues }: BusTopology): ExchangeRef[] {
  const ofQueues = queues.flatMap(({ lanes, bindings }) =>
    lanes.flatMap((lane) => bindings.map(({ exchange }) => laneExchange(exchange, lane))),
  );
  return [...exchanges, ...ofQueues];
}

/** Exchange of a lane. It belongs to the owner of the plain exchange. */
export function laneExchange(exchange: ExchangeRef, lane: string): ExchangeRef {
  return { ...exchange, name: laneExchangeOf(exchange.name, lane) };
}
