import { HoplineError, TopologyError } from '../../../errors.js';
import type { ListenSource } from '../../operator-session.js';
import type { ChannelError } from '../connection/channel.js';
import { notPossible } from '../connection/limits.js';

/* The broker's refusal of a consumer, with advice. */

export function refusedToConsume(queue: string, error: ChannelError): Error {
  const help =
    error.code === 403
      ? `Give the user permission to read '${queue}'.`
      : 'Check whether another consumer has the queue exclusively, or whether it was deleted.';
  return refusal(queue, `queue '${queue}' can't be consumed`, help, error);
}

/** Of a queue that belongs to someone else. */
export function refusedForeign(queue: string, error: ChannelError): Error {
  const what = `queue '${queue}', which belongs to someone else (declare: false), can't be consumed`;
  return refusal(queue, what, helpWithForeign(queue, error), error);
}

/** Refusals of earlier requests are explained already, and what has no code says nothing about the queue. */
function refusal(queue: string, what: string, help: string, cause: ChannelError): Error {
  if (cause instanceof HoplineError) return cause;
  if (cause.code === undefined) return notPossible(what, cause);
  return new TopologyError(`queue '${queue}'`, `${what}: ${cause.message}`, help, { cause });
}

/** What to do about a queue that belongs to someone else, and that the broker refuses to look at or to consume. */
function helpWithForeign(queue: string, { code, message }: ChannelError): string {
  switch (code) {
    case 404:
      return `Hopline doesn't make it: let its owner make '${queue}' first, or leave declare: false out.`;
    case 405:
      return 'It is exclusive to the connection that has made it: nobody else can consume it.';
    case 403:
      return /exclusive/.test(message)
        ? 'Another consumer has it exclusively: end that one, or have it share the queue.'
        : `Give the user permission to read '${queue}'.`;
    default:
      return 'Ask its owner what it is, and see the broker’s log.';
  }
}

export function refusedToListen({ exchange }: ListenSource, cause: ChannelError): Error {
  const resource = exchange === '' ? 'a queue of its own' : `exchange '${exchange}'`;
  const what = `can't listen to ${resource}`;
  if (cause.code === undefined) return notPossible(what, cause);
  const help = 'Give the user the permissions that `hopline topology permissions` prints.';
  return new TopologyError(resource, `${what}: ${cause.message}`, help, { cause });
}

export function refusedOwnQueue(queue: string, cause: ChannelError): Error {
  const help =
    cause.code === 404
      ? 'Let the service that owns the exchange start first.'
      : 'Give the user the permissions that `hopline topology permissions` prints.';
  return refusal(queue, `the process can't have its own queue '${queue}.…'`, help, cause);
}
