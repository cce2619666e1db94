import { encryptionOption } from '../encryption/key-provider.js';
import { OptionsError } from '../errors.js';
import {
  type Check,
  callable,
  type Fields,
  flag,
  having,
  isPlainObject,
  objectWith,
  problemsOf,
  required,
  text,
} from '../util/check.js';
import { type Logger, loggerCheck, stderrLogger } from '../util/logger.js';
import { safeLogger } from '../util/safe-logger.js';
import type { DashboardApplication, DashboardLinks, DashboardOptions } from './options.js';
import { AddressList } from './server/auth/addresses.js';
import type { AuthSettings } from './server/auth/gate-of.js';
import type { CallbackAuth, ProxyAuth } from './server/auth/options.js';
import { readUsers } from './server/auth/users-file.js';
import { REDACTED } from './site/redacted.js';

/** An application with the word of its addresses. */
export interface ApplicationSettings extends DashboardApplication {
  readonly id: string;
  readonly title: string;
}

export interface DashboardSettings {
  readonly applications: readonly ApplicationSettings[];
  /** Without a slash at its end; '' at the root. */
  readonly path: string;
  readonly auth: AuthSettings | undefined;
  readonly allowActions: boolean;
  readonly allowedHosts: readonly string[];
  readonly links: DashboardLinks;
  readonly redact: readonly string[];
  readonly prometheus: string | undefined;
  readonly log: Logger;
  /** For actions that were done. */
  readonly audit: Pick<Logger, 'info'>;
}

const list = (what: string, accepts: (value: unknown) => boolean): Check => ({
  expected: `a list of ${what}`,
  accepts: (value) => Array.isArray(value) && value.every(accepts),
});

const texts = list('non-empty strings', text.accepts);

/** May hold a password. */
const httpAddress: Check = {
  expected: 'an address http://… or https://…, with a special character in a password percent-encoded',
  accepts: (value) =>
    typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
  isSecret: true,
};

const APPLICATION: Fields = {
  transport: having('a transport: rabbitmq({ url }) or memory()', 'open'),
  prefix: text,
  delayPrefix: text,
  name: text,
  broker: text,
  queues: texts,
  deadLetters: texts,
  management: objectWith({ url: required(httpAddress), vhost: text }),
  stores: { expected: 'stores, as redisStores() and postgresStores() make them', accepts: isPlainObject },
  messages: list('messages, as defineMessage() makes them', isPlainObject),
  encryption: encryptionOption,
};

const template: Check = {
  expected: 'a template of an address https://… or http://…',
  accepts: (value) => typeof value === 'string' && /^https?:\/\//.test(value),
};

const header: Check = {
  expected: 'the name of a header',
  accepts: (value) => typeof value === 'string' && /^[\w-]+$/.test(value),
};

const secret: Check = {
  expected: 'at least 16 characters',
  accepts: (value) => typeof value === 'string' && value.length >= 16,
  isSecret: true,
};

const AUTH: Fields = {
  users: {
    expected: 'the path of a file, or a list of its lines',
    accepts: (value) => text.accepts(value) || texts.accepts(value),
    isSecret: true,
  },
  proxy: objectWith({
    header: required(header),
    from: list("addresses such as '10.0.0.7' or '10.0.0.0/8'", AddressList.accepts),
    secret: objectWith({ header: required(header), value: required(secret) }),
    mayAct: texts,
  }),
  authorize: callable,
};

const SERVING: Fields = {
  applications: {
    expected: 'a list of at least one application',
    accepts: (value) => Array.isArray(value) && value.length > 0,
    each: objectWith({ ...APPLICATION, transport: required(APPLICATION.transport as Check) }),
  },
  path: {
    expected: "a path such as '/ops'",
    accepts: (value) => typeof value === 'string' && /^\/([\w.~-]+(\/[\w.~-]+)*\/?)?$/.test(value),
  },
  auth: objectWith(AUTH),
  allowActions: flag,
  allowedHosts: list("names without port, such as 'ops.example.org'", isHostName),
  links: objectWith({ trace: template, logs: template }),
  redact: texts,
  prometheus: httpAddress,
  log: loggerCheck,
};

function isHostName(value: unknown): boolean {
  return typeof value === 'string' && /^([\w-]+(\.[\w-]+)*\.?|\[[\da-f:.]+\])$/i.test(value);
}

/** @throws OptionsError with all problems at once */
export function dashboardSettings(options: DashboardOptions): DashboardSettings {
  const isObject: boolean = isPlainObject(options);
  if (!isObject)
    throw new OptionsError('dashboard', ['expected the options to be an object such as { transport }']);
  const problems = problemsOf(options, '', { ...APPLICATION, ...SERVING });
  const applications = applicationsOf(options, problems);
  const auth = authOf(options, problems);
  const path = typeof options.path === 'string' ? options.path.replace(/\/$/, '') : '';
  if (options.allowedHosts?.length && !options.auth)
    problems.push('expected auth beside allowedHosts: without it only this very machine is answered');
  const first = path.split('/')[1];
  if (applications.some(({ id }) => id === first))
    problems.push(
      `expected path not to begin with '${first}', which the addresses of an application begin with`,
    );
  if (problems.length > 0) throw new OptionsError('dashboard', problems);
  const { allowActions = false, allowedHosts = [], links = {}, redact = REDACTED, prometheus } = options;
  return {
    ...{ applications, path, auth, allowActions, links, redact, prometheus },
    allowedHosts: allowedHosts.map((host) => host.toLowerCase()),
    log: safeLogger(options.log ?? stderrLogger),
    // The default logger writes nothing below a warning, and who has done what must be found.
    audit: safeLogger(options.log ?? { ...stderrLogger, info: stderrLogger.warn }),
  };
}

function applicationsOf(options: DashboardOptions, problems: string[]): readonly ApplicationSettings[] {
  const { applications } = options;
  const isSeveral = applications !== undefined;
  const own = Object.keys(APPLICATION).filter(
    (name) => options[name as keyof DashboardOptions] !== undefined,
  );
  if (isSeveral && own.length > 0)
    problems.push(`expected applications or the options of one, got both: ${own.join(', ')}`);
  if (!isSeveral && options.transport === undefined)
    problems.push('expected transport to be a transport: rabbitmq({ url }) or memory(), got undefined');
  const given = (Array.isArray(applications) ? applications : [options]).filter(isPlainObject);
  const named = given.map((each) => settingsOf(each as unknown as DashboardApplication));
  if (named.some(({ id }) => id === 'assets'))
    problems.push("expected name not to be 'assets', which is another part of the dashboard's addresses");
  const twice = named.find(({ id }, index) => named.findIndex((other) => other.id === id) < index);
  if (twice)
    problems.push(`expected each application to have a name of its own, got '${twice.id}' twice: give name`);
  return named;
}

function settingsOf(application: DashboardApplication): ApplicationSettings {
  const { prefix = 'hopline', name = prefix } = application;
  const title = String(name);
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? ['app'];
  return { ...application, id: words.join('-'), title };
}

function authOf({ auth }: DashboardOptions, problems: string[]): AuthSettings | undefined {
  if (!isPlainObject(auth)) return undefined;
  const ways = ['users', 'proxy', 'authorize'].filter((way) => auth[way] !== undefined);
  if (ways.length !== 1) {
    problems.push(
      `expected auth to have one of users, proxy and authorize, got ${ways.join(' and ') || 'none'}`,
    );
    return undefined;
  }
  if (!('users' in auth)) return auth as unknown as ProxyAuth | CallbackAuth;
  const { users } = auth as { users: string | readonly string[] };
  if (!AUTH.users?.accepts(users)) return undefined;
  const read = readUsers(users);
  problems.push(...read.problems);
  return { users: read.users };
}
