import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { UsageError } from './usage-error.js';

/** Where the broker is, from the command line or the environment. */
export interface BrokerFlags {
  readonly url?: string;
  readonly urlFile?: string;
  readonly verbose?: boolean;
}

/** A broker, and how to call it without saying how to get in. */
export interface Broker {
  readonly url: string;
  /** `rabbit.example.org:5672, vhost '/'` */
  readonly name: string;
}

export function withBroker(command: Command): Command {
  return command
    .option('--url <url>', 'address of the broker, without a password')
    .option('--url-file <file>', 'file that holds the address; else it is taken from AMQP_URL')
    .option('--verbose', 'stack traces of errors');
}

/** @throws UsageError */
export function brokerOf({ url, urlFile }: BrokerFlags, env: NodeJS.ProcessEnv): Broker {
  if (url !== undefined && urlFile !== undefined)
    throw new UsageError('both --url and --url-file are given', 'Give one of them');
  if (url !== undefined && holdsPassword(url)) {
    throw new UsageError(
      '--url holds a password, which everybody on this machine can read in the list of processes',
      'Set AMQP_URL, or write the address into a file and give --url-file',
    );
  }
  const found = url ?? (urlFile === undefined ? env.AMQP_URL : fromFile(urlFile));
  if (!found) {
    throw new UsageError(
      'no address of a broker',
      'Set AMQP_URL=amqp://user:password@host:5672/vhost, or write it into a file and give --url-file',
    );
  }
  return { url: found, name: nameOf(found) };
}

/** Of an address on the command line, where everybody on the machine can read it. */
export function holdsPassword(url: string): boolean {
  return /:\/\/[^/]*:[^/]*@/.test(url);
}

function fromFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(
      `can't read --url-file: ${(error as Error).message}`,
      'Give a file that holds one address',
    );
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
