import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type RabbitmqOptions, rabbitmq, type TlsOptions } from '../../transport/amqp/index.js';
import { UsageError } from '../usage-error.js';
import { CONNECTION_FLAGS } from './connection-flags.js';

/** Flags of the broker's address; the environment is the default. */
export interface BrokerFlags {
  readonly url?: string;
  readonly urlFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly external?: boolean;
  readonly allowGuest?: boolean;
  readonly verbose?: boolean;
}

/** A broker: its name for messages, without credentials, and the options to connect to it. */
export interface Broker {
  readonly url: string;
  /** `rabbit.example.org:5672, vhost '/'` */
  readonly name: string;
  /** Options of the connection. */
  readonly options: RabbitmqOptions;
}

/**
 * Adds the connection's flags. The help of `hopline` explains them for all commands; a command's own help only names them, below
 * what is its own.
 */
export function withBroker(command: Command): Command {
  for (const [flags] of CONNECTION_FLAGS) command.addOption(new Option(flags).hideHelp());
  return command
    .option('--verbose', 'stack traces of errors')
    .addHelpText(
      'after',
      `\nConnection: ${CONNECTION_FLAGS.map(([flags]) => flags).join(', ')} (see hopline --help).`,
    );
}

/** Reads the broker's address from flags and environment. @throws UsageError, OptionsError */
export function brokerOf(flags: BrokerFlags, env: NodeJS.ProcessEnv): Broker {
  const { url, urlFile } = flags;
  if (url !== undefined && urlFile !== undefined)
    throw new UsageError('both --url and --url-file are given', 'Give one of them');
  if (url !== undefined && holdsPassword(url)) {
    throw new UsageError(
      '--url holds a password, which everybody on this machine can read in the list of processes',
      'Set AMQP_URL, or write the address into a file and give --url-file',
    );
  }
  const found =
    url ?? (urlFile === undefined ? env.AMQP_URL : fileOf(urlFile, '--url-file', 'one address').trim());
  if (!found) {
    throw new UsageError(
      'no address of a broker',
      'Set AMQP_URL=amqp://user:password@host:5672/vhost, or write it into a file and give --url-file',
    );
  }
  const name = nameOf(found);
  const options = optionsOf(found, flags, env);
  rabbitmq(options); // invalid options fail here, before the user is asked and before anything of the address is printed
  return { url: found, name, options };
}

function optionsOf(
  url: string,
  { ca, cert, key, external, allowGuest = false }: BrokerFlags,
  { AMQP_KEY_PASSPHRASE: passphrase }: NodeJS.ProcessEnv,
): RabbitmqOptions {
  const what = 'text in PEM form';
  const tls: TlsOptions = {
    ...(ca === undefined ? {} : { ca: fileOf(ca, '--ca', what) }),
    ...(cert === undefined ? {} : { cert: fileOf(cert, '--cert', what) }),
    ...(key === undefined ? {} : { key: fileOf(key, '--key', what) }),
    ...(key === undefined || passphrase === undefined ? {} : { passphrase }),
  };
  return {
    url,
    allowGuest,
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(external ? { auth: 'external' } : {}),
  };
}

/**
 * Tells whether an address on the command line holds a password: everybody on the machine can read it there.
 */
export function holdsPassword(url: string): boolean {
  return /:\/\/[^/]*:[^/]*@/.test(url);
}

/** Reads a file that a flag names. @throws UsageError */
export function fileOf(file: string, flag: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`can't read ${flag}: ${(error as Error).message}`, `Give a file that holds ${what}`);
  }
}

function nameOf(url: string): string {
  if (!URL.canParse(url) || !/^amqps?:$/.test(new URL(url).protocol)) {
    throw new UsageError(
      'the address of the broker is not amqp://… or amqps://…',
      'A special character in the password is written percent-encoded',
    );
  }
  const { hostname, port, protocol, pathname } = new URL(url);
  const vhost = decodeURIComponent(pathname.slice(1)) || '/';
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}, vhost '${vhost}'`;
}
