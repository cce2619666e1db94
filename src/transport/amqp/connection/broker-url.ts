import { BlockList, isIP } from 'node:net';
import { unescape as percentDecoded } from 'node:querystring';

/** One broker URL, or several that are tried in turn: `amqp://user:password@host:5672/vhost`, `amqps://…`. */
export type BrokerUrl = string | readonly string[];

/** Rules for a URL beside its syntax. */
export interface UrlRules {
  /** The certificate identifies the client: the URL needs no user, and TLS is required. */
  readonly external: boolean;
  /** TLS options are set, which a plain connection would silently ignore. */
  readonly encrypted: boolean;
  readonly allowGuest: boolean;
}

/** Problems of `url`, as sentences. None quotes a URL, which may hold a password. */
export function urlProblems(url: unknown, rules: UrlRules): string[] {
  if (url === undefined) return ['url is undefined: is its environment variable set?'];
  const urls = Array.isArray(url) ? url : [url];
  if (urls.length === 0) return ['expected url to be at least one address, got an empty list'];
  return urls.flatMap((each, index) => {
    const name = `url${Array.isArray(url) ? `[${index}]` : ''}`;
    const problem = formProblem(each);
    return problem
      ? [`expected ${name} to be amqp://… or amqps://…, got ${problem}`]
      : ruleProblems(new URL(each), name, rules);
  });
}

function formProblem(url: unknown): string | undefined {
  if (typeof url !== 'string') return `a ${typeof url}`;
  if (url === '') return 'an empty string';
  if (!URL.canParse(url))
    return 'a string that is no URL (is a special character in the password percent-encoded?)';
  const { protocol, hostname, pathname, search, hash } = new URL(url);
  if (protocol !== 'amqp:' && protocol !== 'amqps:') return `one that begins with ${protocol}`;
  // A / ? or # in a password ends the host part: the rest would be taken for a vhost, and the part before it
  // for a host, which is shown.
  if (`${pathname}${search}${hash}`.includes('@'))
    return 'one with an @ behind the host (is a special character in the password, or in the vhost, percent-encoded?)';
  return hostname === '' ? 'one without a host' : undefined;
}

/** Query parameters that other clients use, and this one would silently ignore. */
const SECURITY_PARAMETERS = [
  'auth_mechanism',
  'cacertfile',
  'certfile',
  'keyfile',
  'password',
  'server_name_indication',
  'verify',
];

function ruleProblems(url: URL, name: string, { external, encrypted, allowGuest }: UrlRules): string[] {
  const problems: string[] = [];
  if (url.protocol === 'amqp:') {
    if (external)
      problems.push(`expected ${name} to be amqps://…, since auth: 'external' uses the certificate`);
    else if (encrypted)
      problems.push(`expected ${name} to be amqps://…, since tls is given, and amqp:// is not encrypted`);
  }
  if (external) {
    if (url.username !== '' || url.password !== '')
      problems.push(`expected ${name} to hold no user, since auth: 'external' takes it from the certificate`);
  } else if (!allowGuest && isDefaultGuest(url) && !isLoopback(url.hostname)) {
    problems.push(
      `expected ${name} to name a user of your own on ${addressOf(url.href)}, got guest with its default password (or no user, which means the same): ` +
        'create a user with rabbitmqctl add_user, or set allowGuest: true for a broker that nobody else can reach',
    );
  }
  for (const parameter of SECURITY_PARAMETERS) {
    if (url.searchParams.has(parameter))
      problems.push(
        `expected ${name} to have no parameter '${parameter}': use the options tls and auth instead`,
      );
  }
  return problems;
}

/** Host and port of a URL: the parts that may be shown. */
export function addressOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}`;
}

export interface UserOfUrl {
  readonly user: string;
  readonly password: string;
}

/**
 * User and password of a URL. A URL without them means the broker's default user, as in RabbitMQ's AMQP URI
 * specification.
 */
export function userOf({ username, password }: URL): UserOfUrl {
  if (username === '' && password === '') return { user: 'guest', password: 'guest' };
  // The client library decodes each percent-encoded byte as a character, which breaks all that are not ASCII.
  return { user: percentDecoded(username), password: percentDecoded(password) };
}

function isDefaultGuest(url: URL): boolean {
  const { user, password } = userOf(url);
  return user === 'guest' && password === 'guest';
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Decided by the name's form: a name that resolves to 127.0.0.1 today may lead elsewhere tomorrow. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return /^localhost\.?$/i.test(host);
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
