import type { Address } from '../worker/scaling-server.js';
import { UsageError } from './usage-error.js';

const LOOPBACK = '127.0.0.1';
const LAST_PORT = 65_535;

/**
 * `9464`, `0.0.0.0:9464` or `[::]:9464`. Without a host it is the loopback interface: what all may reach is asked for.
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

/** Why not, of the system's error. */
export function cannotListen(flag: string, { host, port }: Address, cause: unknown): UsageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'another process listens there' : message;
  return new UsageError(`${flag} can't be ${host}:${port}: ${why}`, 'Give another one, or end what has it', {
    cause,
  });
}
