import { TopologyError } from '../../../errors.js';
import { cureOfOtherArguments } from '../../../topology/fixed-arguments.js';
import type { ChannelError } from '../connection/channel.js';
import { reachedLimit } from '../connection/limits.js';
import { unknownType, unknownTypeIn } from './unknown-type.js';

/** What was refused. */
interface Refused {
  /** Name for errors: `queue 'mailer'`. */
  readonly resource: string;
  /** Permission needed for declaring it. */
  readonly right: string;
  /** The refusal of something that belongs to someone else, with advice. */
  refused?(error: ChannelError): Error;
}

/** The broker's refusal, with advice. */
export function explained(step: Refused, error: ChannelError, what: 'declare' | 'verify'): Error {
  const { resource } = step;
  if (step.refused) return step.refused(error);
  const options = { cause: error };
  switch (error.code) {
    case 403:
      return new TopologyError(
        resource,
        `not allowed to ${what} ${resource}: ${error.message}`,
        what === 'verify'
          ? `Give the user any permission on ${resource} (RabbitMQ 4.2.6 and 4.3.0 ask for configure), or set topology: 'none'.`
          : `Give the user permission to ${step.right}, or declare it with another user and set topology: 'verify'.`,
        options,
      );
    case 404:
      return new TopologyError(
        resource,
        `${resource} can't be ${what === 'verify' ? 'found' : 'made'}: ${error.message}`,
        what === 'verify'
          ? "Declare it first, or set topology: 'declare'."
          : 'Declare what is missing first.',
        options,
      );
    case 406: {
      const type = unknownTypeIn(error.message);
      if (type) return unknownType(resource, type, error);
      const limit = reachedLimit(error.message);
      if (limit)
        return new TopologyError(
          resource,
          `${resource} can't be declared: ${limit.what} (${error.message})`,
          limit.help,
          options,
        );
      if (!error.message.includes('inequivalent'))
        return new TopologyError(
          resource,
          `${resource} can't be declared: ${error.message}`,
          'Leave out what this version of the broker refuses, or use another version.',
          options,
        );
      return new TopologyError(
        resource,
        `${resource} exists with other arguments than wanted: ${error.message}`,
        `${cureOfOtherArguments(error.message)}In the broker the arguments of an exchange or queue are fixed. Change the options back, use another name, or delete it there once it is empty.`,
        options,
      );
    }
    default:
      // The connection was lost, which says nothing about the topology.
      return error.code === undefined
        ? error
        : new TopologyError(
            resource,
            `the broker refuses ${resource}: ${error.message}`,
            'See the broker’s log.',
            options,
          );
  }
}
