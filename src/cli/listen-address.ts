import type { Address } from '../worker/page-server.js';
import { UsageError } from './usage-error.js';

const LOOPBACK = '127.0.0.1';
const LAST_PORT = 65_535;

/**
 * Parses `9464`, `0.0.0.0:9464` or `[::]:9464`. The default host is the loopback interface: an address that
 * others can reach has to be given.
 *
 * @throws UsageError
 */
export function listenAddress(flag: string, given: string): Address {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(given) ?? [];
  const port = Number(digits);
  if (digits !== '' && port <= LAST_PORT) return { host: bracketed ?? plain ?? LOOPBACK, port };
  throw new UsageError(
    `${flag} is no port, and no address: '${given}'`,
    'Write it as 9464, or as 0.0.0.0:9464',
  );
}

/** The error for an address that can't be listened at, with the reason of the system's error. */
export function cannotListen(flag: string, { host, port }: Address, cause: unknown): UsageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'another process listens there' : message;
  return new UsageError(`${flag} can't be ${host}:${port}: ${why}`, 'Give another one, or end what has it', {
    cause,
  });
}
