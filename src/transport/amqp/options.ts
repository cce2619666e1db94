import { OptionsError } from '../../errors.js';
import {
  anything,
  type Check,
  duration,
  type Fields,
  flag,
  isPlainObject,
  oneOf,
  problemsOf,
} from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';
import { addressOf, type BrokerUrl, type UrlRules, urlProblems, userOf } from './connection/broker-url.js';
import { type Credentials, external, plain } from './connection/credentials.js';
import { type TlsOptions, type TlsSettings, tlsProblems, tlsSettings } from './connection/tls.js';

/** Options of {@link rabbitmq}. */
export interface RabbitmqOptions {
  /**
   * URL of the broker, a list of URLs, or a function that returns either. The function is called before every
   * round of connecting, so that it can provide fresh credentials. `undefined` is refused, since it usually
   * means a missing environment variable.
   */
  url: BrokerUrl | (() => BrokerUrl | Promise<BrokerUrl>) | undefined;
  /**
   * TLS options of `amqps://` connections: trusted authorities, and the client's certificate. A function is
   * called before every round of connecting, so that it can provide renewed certificates. @default the
   * authorities of Node.js, no certificate
   */
  tls?: TlsOptions | (() => TlsOptions | Promise<TlsOptions>);
  /**
   * Authentication: `password` uses the user and password of the URL, `external` the client's certificate (SASL
   * EXTERNAL: mutual TLS, and the broker's plugin rabbitmq_auth_mechanism_ssl). @default 'password'
   */
  auth?: 'password' | 'external';
  /** Allows `tls: { rejectUnauthorized: false }`, with which anybody can impersonate the broker. @default false */
  allowInsecureTls?: boolean;
  /**
   * Allows the user `guest` with its default password, or a URL without a user, which means the same, for a
   * host that is not loopback: for a development broker in a container network. @default false
   */
  allowGuest?: boolean;
  /** Interval of heartbeats; a silent connection is given up after two of them. @default '10s' */
  heartbeat?: Duration;
  /** Maximum time for connecting to one address: TCP, TLS and AMQP handshake together. @default '10s' */
  connectDeadline?: Duration;
}

/** One address to try. Printing it shows no credential. */
export interface BrokerAddress {
  /** Host and port, the parts that may be shown. */
  readonly name: string;
  /** Without user and password. */
  readonly url: string;
  readonly credentials: Credentials;
  /** Only for `amqps://`. */
  readonly tls: TlsSettings | undefined;
}

/** The options with their defaults. */
export interface RabbitmqSettings {
  /** @throws OptionsError if a user's function returns an invalid value */
  readonly findAddresses: () => Promise<readonly BrokerAddress[]>;
  /** Hosts and ports of the addresses; undefined if a user's function brings them. */
  readonly shown: string | undefined;
  /** True if the broker's certificate may be invalid. */
  readonly insecure: boolean;
  readonly heartbeatSeconds: number;
  readonly connectDeadlineMs: number;
}

/** The protocol has 16 bits for its seconds. */
const heartbeat: Check = {
  expected: "a duration from '1s' to '18h'",
  accepts: (value) =>
    duration.accepts(value) && toMs(value as Duration) >= 1_000 && toMs(value as Duration) <= toMs('18h'),
};

const positiveDuration: Check = {
  expected: "a duration longer than 0 and of at most 400 days, such as '10s'",
  accepts: (value) => duration.accepts(value) && toMs(value as Duration) > 0,
};

/** Options with `anything` are checked separately, so that no message shows them. */
const FIELDS: Fields = {
  url: anything,
  tls: anything,
  auth: oneOf('password', 'external'),
  allowInsecureTls: flag,
  allowGuest: flag,
  heartbeat,
  connectDeadline: positiveDuration,
};

/** @throws OptionsError with all problems at once; none of them shows a URL, a key or a passphrase */
export function rabbitmqSettings(options: RabbitmqOptions): RabbitmqSettings {
  if (!isPlainObject(options))
    throw new OptionsError('rabbitmq', ['expected the options to be an object such as { url }']);
  const { url, tls, heartbeat: beat = '10s', connectDeadline = '10s' } = options;
  const given = {
    url: typeof url === 'function' ? undefined : url,
    tls: typeof tls === 'function' ? undefined : tls,
  };
  const problems = [
    ...problemsOf(options, '', FIELDS),
    ...(typeof url === 'function' ? [] : urlProblems(given.url, rulesOf(options))),
    ...(typeof tls === 'function' ? [] : certificateProblems(given.tls, options)),
  ];
  if (problems.length > 0) throw new OptionsError('rabbitmq', problems);
  return {
    findAddresses: async () => addressesOf(await brought(options), options),
    shown: typeof url === 'function' ? undefined : [url as BrokerUrl].flat().map(addressOf).join(', '),
    insecure: options.allowInsecureTls === true,
    heartbeatSeconds: Math.round(toMs(beat) / 1_000),
    connectDeadlineMs: toMs(connectDeadline),
  };
}

function rulesOf({ auth, tls, allowGuest = false }: RabbitmqOptions): UrlRules {
  return { external: auth === 'external', encrypted: tls !== undefined, allowGuest };
}

function certificateProblems(
  tls: TlsOptions | undefined,
  { auth, allowInsecureTls = false }: RabbitmqOptions,
): string[] {
  const problems = tls === undefined ? [] : tlsProblems(tls, allowInsecureTls);
  if (auth === 'external' && !tls?.cert && !tls?.pfx)
    problems.push("expected tls.cert and tls.key, or tls.pfx, since auth: 'external' uses the certificate");
  return problems;
}

/** The options with the results of the user's functions. */
interface Brought {
  readonly url: BrokerUrl;
  readonly tls: TlsOptions | undefined;
}

async function brought(options: RabbitmqOptions): Promise<Brought> {
  const { url, tls } = options;
  const found = {
    url: (typeof url === 'function' ? await url() : url) as BrokerUrl,
    tls: typeof tls === 'function' ? await tls() : tls,
  };
  const problems = {
    url: typeof url === 'function' ? urlProblems(found.url, rulesOf(options)) : [],
    tls: typeof tls === 'function' ? certificateProblems(found.tls, options) : [],
  };
  if (problems.url.length > 0) throw new OptionsError('rabbitmq: the url function', problems.url);
  if (problems.tls.length > 0) throw new OptionsError('rabbitmq: the tls function', problems.tls);
  return found;
}

function addressesOf({ url, tls = {} }: Brought, { auth }: RabbitmqOptions): BrokerAddress[] {
  return [url].flat().map((each) => {
    const name = addressOf(each);
    const bare = new URL(each);
    const credentials = auth === 'external' ? external : plain(userOf(bare));
    bare.username = '';
    bare.password = '';
    return {
      name,
      url: bare.href,
      credentials,
      tls: bare.protocol === 'amqps:' ? tlsSettings(tls) : undefined,
    };
  });
}
