import { ConnectError } from '../../../errors.js';

/** A limit of the broker that was reached, with advice. */
export interface ReachedLimit {
  /** A clause: `the user has reached its limit of channels`. */
  readonly what: string;
  readonly help: string;
}

/** By the words of RabbitMQ (tried on 3.10.8 and 4.3.6), and of the client library where it checks the limit itself. */
const LIMITS: readonly (readonly [words: RegExp, limit: ReachedLimit])[] = [
  [
    /No channels left to allocate|number of channels opened \(\d+\) has reached the negotiated channel_max/i,
    {
      what: "a connection may have no more channels: the broker's channel_max is reached",
      help: 'Raise channel_max in rabbitmq.conf (2047 is its default), or serve fewer queues in a process: each queue, and each lane, takes a channel.',
    },
  ],
  [
    /number of channels opened for user|user channel limit/i,
    {
      what: 'the user has reached its limit of channels',
      help: 'Raise it with `rabbitmqctl set_user_limits USER \'{"max-channels": N}\'`, or serve fewer queues: each queue, and each lane, takes a channel, and so do publishing and listening for operators.',
    },
  ],
  [
    /queue limit in vhost/i,
    {
      what: 'the vhost has reached its limit of queues',
      help: 'Raise it with `rabbitmqctl set_vhost_limits -p VHOST \'{"max-queues": N}\'`, or delete queues that nobody uses: a work queue takes two (its own and `.dead`), each lane and a classic queue one more, the delays thirty-three a vhost, and each process that listens for operators one.',
    },
  ],
  [
    /queue limit in (node|cluster)|cluster queue limit/i,
    {
      what: 'the broker has reached its limit of queues',
      help: 'Raise cluster_queue_limit in rabbitmq.conf, or delete queues that nobody uses.',
    },
  ],
  [
    /user connection limit|connection limit .*for user|connection refused for user/i,
    {
      what: 'the user has reached its limit of connections',
      help: 'Raise it with `rabbitmqctl set_user_limits USER \'{"max-connections": N}\'`, or run fewer processes: each takes two connections, one if it only publishes, and a few more for a moment.',
    },
  ],
  [
    /connection limit/i,
    {
      what: 'the vhost, or the broker, has reached its limit of connections',
      help: 'Raise it with `rabbitmqctl set_vhost_limits -p VHOST \'{"max-connections": N}\'`, or run fewer processes: each takes two connections, one if it only publishes, and a few more for a moment.',
    },
  ],
];

/** Undefined if the words are about no limit. */
export function reachedLimit(words: string): ReachedLimit | undefined {
  return LIMITS.find(([pattern]) => pattern.test(words))?.[1];
}

/** Error without a reply code of the broker's: a lost connection, or a limit. */
export function notPossible(what: string, cause: Error): ConnectError {
  const limit = reachedLimit(cause.message);
  if (limit) return new ConnectError(`${what}: ${limit.what} (${cause.message})`, limit.help, { cause });
  const help = 'Look at the load and the alarms of the broker, and at its limit of channels.';
  return new ConnectError(`${what}: ${cause.message}`, help, { cause });
}
