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
import { addressOf, type BrokerUrl, type UrlRules, urlProblems, userOf } from './broker-url.js';
import { type Credentials, external, plain } from './credentials.js';
import { type TlsOptions, type TlsSettings, tlsProblems, tlsSettings } from './tls.js';

/** Options of {@link rabbitmq}. */
export interface RabbitmqOptions {
  /**
   * Where the broker is. A function is asked before every round of connecting, so that it can bring fresh credentials.
   * `undefined` is refused, since it is usually an environment variable that isn't set.
   */
  url: BrokerUrl | (() => BrokerUrl | Promise<BrokerUrl>) | undefined;
  /**
   * How `amqps://` connections are made: whose certificates count, and which is ours. A function is asked before every
   * round of connecting, so that it can bring renewed certificates. @default the authorities of Node.js, no certificate
   */
  tls?: TlsOptions | (() => TlsOptions | Promise<TlsOptions>);
  /**
   * How the broker knows who we are: `password` takes user and password of the URL, `external` our certificate (SASL
   * EXTERNAL: mutual TLS, and the broker's plugin rabbitmq_auth_mechanism_ssl). @default 'password'
   */
  auth?: 'password' | 'external';
  /** Allows `tls: { rejectUnauthorized: false }`, with which anybody may take the broker's place. @default false */
  allowInsecureTls?: boolean;
  /**
   * Allows the user `guest` with its default password, and a URL without a user, which means the same, for a host that is
   * not loopback: a development broker in a container network. @default false
   */
  allowGuest?: boolean;
  /** How often both sides show that they live; a silent connection is given up after two of them. @default '10s' */
  heartbeat?: Duration;
  /** How long connecting to one address may take, TCP, TLS and AMQP handshake together. @default '10s' */
  connectDeadline?: Duration;
}

/** One address to try. Nothing in it shows a credential, however it is printed. */
export interface BrokerAddress {
  /** Host and port: what is told of it. */
  readonly name: string;
  /** Without user and password. */
  readonly url: string;
  readonly credentials: Credentials;
  /** Only for `amqps://`. */
  readonly tls: TlsSettings | undefined;
}

/** The options with their defaults. */
export interface RabbitmqSettings {
  /** @throws OptionsError if what the user's functions return can't work */
  readonly findAddresses: () => Promise<readonly BrokerAddress[]>;
  /** The broker's certificate may count for nothing. */
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

/** `anything` is checked apart, so that no message shows it. */
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
    problems.push(
      "expected tls.cert and tls.key, or tls.pfx, since auth: 'external' goes by the certificate",
    );
  return problems;
}

/** What the user's functions bring this time, or what was given once for all. */
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
