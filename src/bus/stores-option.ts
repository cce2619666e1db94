import { type Check, flag, having, objectWith, required } from '../util/check.js';

/** Check of the stores that a bus is given. */
export const storesOption: Check = objectWith({
  isOfProcess: flag,
  rateLimits: required(having('a store of rate limits, as redisStores() has', 'take', 'hold')),
  idempotency: required(
    having('a store of handled messages, as redisStores() has', 'claim', 'finish', 'release'),
  ),
  once: required(having('a store of results, as redisStores() has', 'reserve', 'record')),
  unique: required(
    having('a store of unique keys, as redisStores() has', 'acquire', 'extend', 'release', 'next', 'advance'),
  ),
  batches: having(
    'a store of batches, as redisStores() has',
    'open',
    'reserve',
    'seal',
    'begin',
    'settle',
    'find',
  ),
  jobs: having('a store of jobs, as redisStores() has', 'add', 'begin', 'end', 'cancel', 'find', 'list'),
  leases: having('a store of leases, as redisStores() has', 'take', 'look', 'renew', 'finish', 'release'),
  checkpoints: having('a store of checkpoints, as redisStores() has', 'load', 'save', 'forget'),
  semaphores: having('a store of semaphores, as redisStores() has', 'acquire', 'renew', 'release'),
  inbox: having('an inbox, as postgresStores() has', 'begin'),
  outbox: having('an outbox, as postgresStores() has', 'add', 'relay', 'backlog', 'listen'),
});
