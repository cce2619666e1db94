import { OptionsError } from '../../errors.js';
import { type Check, duration, type Fields, isPlainObject, problemsOf } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

/** One broker URL, or several that are tried in turn: `amqp://user:password@host:5672/vhost`, `amqps://…`. */
export type BrokerUrl = string | readonly string[];

/** Options of {@link rabbitmq}. */
export interface RabbitmqOptions {
  /**
   * Where the broker is. A function is asked before every round of connecting, so that it can bring fresh credentials.
   * `undefined` is refused, since it is usually an environment variable that isn't set.
   */
  url: BrokerUrl | (() => BrokerUrl | Promise<BrokerUrl>) | undefined;
  /** How often both sides show that they live; a silent connection is given up after two of them. @default '10s' */
  heartbeat?: Duration;
  /** How long connecting to one address may take, TCP and AMQP handshake together. @default '10s' */
  connectDeadline?: Duration;
}

/** The options with their defaults. */
export interface RabbitmqSettings {
  /** @throws OptionsError if what the user's function returns is no URL */
  readonly findUrls: () => Promise<readonly string[]>;
  readonly heartbeatSeconds: number;
  readonly connectDeadlineMs: number;
}

const heartbeat: Check = {
  expected: "a duration of at least '1s'",
  accepts: (value) => duration.accepts(value) && toMs(value as Duration) >= 1_000,
};

const positiveDuration: Check = {
  expected: "a duration longer than 0, such as '10s'",
  accepts: (value) => duration.accepts(value) && toMs(value as Duration) > 0,
};

const FIELDS: Fields = {
  url: { expected: '', accepts: () => true },
  heartbeat,
  connectDeadline: positiveDuration,
};

/** @throws OptionsError with all problems at once; none of them quotes a URL, which may hold a password */
export function rabbitmqSettings(options: RabbitmqOptions): RabbitmqSettings {
  if (!isPlainObject(options))
    throw new OptionsError('rabbitmq', ['expected the options to be an object such as { url }']);
  const { url, heartbeat: beat = '10s', connectDeadline = '10s' } = options;
  const problems = [
    ...problemsOf(options, '', FIELDS),
    ...(typeof url === 'function' ? [] : urlProblems(url)),
  ];
  if (problems.length > 0) throw new OptionsError('rabbitmq', problems);
  return {
    findUrls: async () => checkedUrls(typeof url === 'function' ? await url() : (url as BrokerUrl)),
    heartbeatSeconds: Math.round(toMs(beat) / 1_000),
    connectDeadlineMs: toMs(connectDeadline),
  };
}

function checkedUrls(url: BrokerUrl): readonly string[] {
  const problems = urlProblems(url);
  if (problems.length > 0) throw new OptionsError('rabbitmq: the url function', problems);
  return typeof url === 'string' ? [url] : url;
}

function urlProblems(url: unknown): string[] {
  if (url === undefined) return ['url is undefined: is the environment variable set that it comes from?'];
  const urls = Array.isArray(url) ? url : [url];
  if (urls.length === 0) return ['expected url to be at least one address, got an empty list'];
  return urls.flatMap((each, index) => {
    const problem = urlProblem(each);
    return problem
      ? [`expected url${Array.isArray(url) ? `[${index}]` : ''} to be amqp://… or amqps://…, got ${problem}`]
      : [];
  });
}

function urlProblem(url: unknown): string | undefined {
  if (typeof url !== 'string') return `a ${typeof url}`;
  if (url === '') return 'an empty string';
  if (!URL.canParse(url))
    return 'a string that is no URL (is a special character in the password percent-encoded?)';
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'amqp:' && protocol !== 'amqps:') return `one that begins with ${protocol}`;
  return hostname === '' ? 'one without a host' : undefined;
}

/** Host and port of a URL: what may be shown of it. */
export function addressOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}`;
}
