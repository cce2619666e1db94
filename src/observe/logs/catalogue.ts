import { HoplineError } from '../../errors/hopline-error.js';
import type { BusEvents, EventName } from '../../events.js';
import { formatMs } from '../../util/duration.js';
import { briefError } from '../failure-log/failure.js';
import type { LogLevel } from '../failure-log/sum.js';

/** How an event is logged. */
export interface EventLine<Event = never> {
  /** LogLevel unless the options say another; false for no line. */
  readonly level: LogLevel | false;
  /** What is of the level `debug` unless the options say another. */
  readonly minor?: { readonly what: string; is(event: Event): boolean };
  /** What became of the attempt: the field `outcome`. */
  readonly outcome?: string;
  say(event: Event): string;
}

const because = (error: unknown): string => (error === undefined ? '' : `: ${briefError(error)}`);

interface OfMessage {
  readonly routingKey: string;
  readonly messageId: string | undefined;
}

const message = ({ routingKey, messageId }: OfMessage): string =>
  `message ${messageId === undefined ? '' : `${messageId} `}'${routingKey}'`;

interface OfAttempt extends OfMessage {
  readonly handler: string | undefined;
  readonly queue: string;
}

const handling = ({ handler, queue }: OfAttempt): string =>
  handler === undefined ? `queue '${queue}'` : `handler '${handler}'`;

const connection = (event: { readonly connection: string; readonly address: string }): string =>
  `the ${event.connection} connection to ${event.address}`;

const batch = ({ batchId, total, done, failed }: BusEvents['batch.finished']): string =>
  `batch ${batchId} of ${total} jobs (${done} done, ${failed} failed)`;

/** Lanes in a strict order pause each other all the time. */
const forHigherLane = {
  what: 'for a higher lane',
  is: ({ why }: BusEvents['consumer.paused']) => why === 'higher-lane',
};

/** Each event: level, and the text of its line. Failures have their lines from the log of failures, which sums them. */
export const EVENT_LINES: { readonly [Name in EventName]: EventLine<BusEvents[Name]> } = {
  'bus.starting': { level: 'debug', say: () => 'the bus starts' },
  'bus.started': { level: 'info', say: () => 'the bus has started' },
  'bus.startFailed': { level: 'error', say: ({ error }) => `the bus could not start${because(error)}` },
  'bus.stopping': { level: 'info', say: () => 'the bus stops' },
  'bus.stopped': { level: 'info', say: () => 'the bus has stopped' },
  'message.published': { level: false, say: (event) => `${message(event)} is given to the broker` },
  'message.confirmed': { level: 'debug', say: (event) => `${message(event)} is published` },
  'message.returned': {
    level: 'warn',
    say: (event) => `${message(event)} was returned${because(event.error)}`,
  },
  'message.rejected': {
    level: 'warn',
    say: (event) => `${message(event)} could not be published${because(event.error)}`,
  },
  'request.replied': {
    level: 'debug',
    say: (event) => `the request of ${message(event)} is replied to in ${formatMs(event.durationMs)}`,
  },
  'request.failed': {
    level: 'warn',
    minor: {
      what: 'if its responder failed, or its caller gave it up',
      is: ({ error }) => !(error instanceof HoplineError) || error.code === 'HOPLINE_RESPONDER',
    },
    say: (event) => `the request of ${message(event)} has no reply${because(event.error)}`,
  },
  'reply.dropped': {
    level: 'debug',
    say: ({ requestId, from }) =>
      `a reply${from === undefined ? '' : ` of '${from}'`} to request ${requestId ?? 'without an id'} is dropped: nobody waits for it`,
  },
  'handler.started': { level: 'debug', say: (event) => `${handling(event)} begins ${message(event)}` },
  'handler.succeeded': {
    level: 'debug',
    outcome: 'succeeded',
    say: (event) => `${handling(event)} has handled ${message(event)} in ${formatMs(event.durationMs)}`,
  },
  'handler.failed': {
    level: 'debug',
    say: (event) => `${handling(event)} failed on ${message(event)}${because(event.error)}`,
  },
  'handler.timedOut': {
    level: 'warn',
    say: (event) => `${handling(event)} runs on ${message(event)} for longer than its timeout`,
  },
  'handler.leaseLost': {
    level: 'warn',
    say: (event) =>
      `${handling(event)} has lost the lease of ${message(event)}, which may run elsewhere by now${because(event.error)}`,
  },
  'message.retried': {
    level: 'warn',
    outcome: 'retried',
    say: (event) => `${handling(event)} failed, retried${because(event.error)}`,
  },
  'message.released': {
    level: 'debug',
    outcome: 'released',
    say: (event) => `${message(event)} comes again to ${handling(event)} in ${formatMs(event.delayMs)}`,
  },
  'message.deadLettered': {
    level: 'error',
    outcome: 'deadLettered',
    say: (event) => `${handling(event)} failed, dead-lettered as ${event.reason}${because(event.error)}`,
  },
  'message.discarded': {
    level: 'warn',
    minor: { what: 'by the handler itself', is: ({ error }) => error === undefined },
    outcome: 'discarded',
    say: (event) => `${handling(event)} discards ${message(event)}`,
  },
  'message.failed': {
    level: 'warn',
    outcome: 'failed',
    say: (event) =>
      `${handling(event)} failed, and its requester ${event.isAnswered ? 'was told' : 'was not'}${because(event.error)}`,
  },
  'message.skipped': {
    level: 'debug',
    outcome: 'skipped',
    say: (event) => `${message(event)} is done without a run of ${handling(event)}`,
  },
  'message.guarded': {
    level: 'info',
    say: (event) =>
      `${message(event)} was delivered again while ${handling(event)} runs it: a guard goes round`,
  },
  'connection.up': { level: 'info', say: (event) => `${connection(event)} is up` },
  'connection.down': {
    level: 'warn',
    say: (event) =>
      `${connection(event)} is down, next try in ${formatMs(event.retryInMs)}${because(event.error)}`,
  },
  'connection.blocked': {
    level: 'warn',
    say: (event) => `the broker takes no publishes on ${connection(event)}: ${event.reason}`,
  },
  'connection.unblocked': {
    level: 'info',
    say: (event) => `the broker takes publishes on ${connection(event)} again`,
  },
  'connection.stalled': {
    level: 'warn',
    say: (event) => `the broker confirms no publish on ${connection(event)}`,
  },
  'connection.flowing': {
    level: 'info',
    say: (event) => `the broker confirms publishes on ${connection(event)} again`,
  },
  'channel.reopened': {
    level: 'warn',
    say: ({ channel, error }) => `the channel of '${channel}' closed, and was opened again${because(error)}`,
  },
  'consumer.started': { level: 'debug', say: ({ queue }) => `queue '${queue}' is consumed` },
  'consumer.cancelled': {
    level: 'warn',
    say: ({ queue, reason }) => `the broker cancelled the consumer of queue '${queue}': ${reason}`,
  },
  'consumer.lost': {
    level: 'warn',
    say: ({ queue, error }) => `the consumer of queue '${queue}' is lost${because(error)}`,
  },
  'consumer.failed': {
    level: 'warn',
    say: ({ queue, error }) =>
      `the consumer of queue '${queue}' can't be restored, and is tried again${because(error)}`,
  },
  'consumer.suspected': {
    level: 'warn',
    say: ({ queue, error }) =>
      `messages of queue '${queue}' may have cost two connections: it is consumed over one of its own${because(error)}`,
  },
  'consumer.guilty': {
    level: 'error',
    say: ({ queue, losses, retryInMs, error }) =>
      `messages of queue '${queue}' have cost ${losses} connections: consumed again in ${formatMs(retryInMs)}${because(error)}`,
  },
  'consumer.cleared': {
    level: 'info',
    say: ({ queue }) => `queue '${queue}' is consumed with the others again`,
  },
  'consumer.restored': { level: 'info', say: ({ queue }) => `queue '${queue}' is consumed again` },
  'consumer.gap': {
    level: 'warn',
    say: ({ handler, since }) =>
      `handler '${handler}' may have missed messages since ${since.toISOString()}, and what was in the queue of its process then`,
  },
  'consumer.paused': {
    level: 'info',
    minor: forHigherLane,
    say: ({ queue, why, error }) => `queue '${queue}' is paused (${why})${because(error)}`,
  },
  'consumer.resumed': {
    level: 'info',
    minor: forHigherLane,
    say: ({ queue, why }) => `queue '${queue}' is not paused any more (${why})`,
  },
  'circuit.opened': {
    level: 'warn',
    say: ({ handler, queue, attempts, failures, pauseMs }) =>
      `the circuit of handler '${handler}' is open: ${failures} of ${attempts} attempts failed, queue '${queue}' waits ${formatMs(pauseMs)}`,
  },
  'circuit.closed': { level: 'info', say: ({ handler }) => `the circuit of handler '${handler}' is closed` },
  'batch.dispatched': { level: 'debug', say: (event) => `${batch(event)} is dispatched` },
  'batch.cancelled': { level: 'warn', say: (event) => `${batch(event)} is cancelled` },
  'batch.finished': { level: 'info', say: (event) => `${batch(event)} has ended` },
  'outbox.relayed': {
    level: 'debug',
    say: ({ published, refused }) =>
      `${published} messages of the outbox are published, ${refused} could not be`,
  },
  'outbox.refused': {
    level: 'error',
    say: (event) => `${message(event)} of the outbox can't be published${because(event.error)}`,
  },
  'topology.failed': {
    level: 'error',
    say: ({ error }) => `the exchanges and queues could not be declared${because(error)}`,
  },
  'control.restart': { level: 'info', say: () => 'an operator asks for a fresh process' },
};
