import type { Clock } from '../../../util/clock.js';
import type { Logger } from '../../../util/logger.js';
import { CallbackGate } from './callback-gate.js';
import { type Gate, openGate } from './gate.js';
import type { CallbackAuth, ProxyAuth } from './options.js';
import { ProxyGate } from './proxy-gate.js';
import type { KnownUser } from './users-file.js';
import { UsersGate } from './users-gate.js';

/** Who is asked, ready to be asked. */
export type AuthSettings = { readonly users: ReadonlyMap<string, KnownUser> } | ProxyAuth | CallbackAuth;

export function gateOf(auth: AuthSettings | undefined, clock: Clock, log: Logger): Gate {
  if (!auth) return openGate;
  if ('users' in auth) return new UsersGate(auth.users, clock, log);
  return 'proxy' in auth ? new ProxyGate(auth.proxy) : new CallbackGate(auth, log);
}
