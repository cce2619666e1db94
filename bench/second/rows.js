import { batchPostgres } from './rows/batch-postgres.js';
import { batchRedis } from './rows/batch-redis.js';
import { idempotentPostgres } from './rows/idempotent-postgres.js';
import { idempotentRedis } from './rows/idempotent-redis.js';
import { outboxOrder, outboxPostgres } from './rows/outbox-postgres.js';
import { rateLimitRedis } from './rows/rate-limit-redis.js';
import { uniqueRedis } from './rows/unique-redis.js';

/**
 * What is measured: a row of the table is a file of rows/.
 *
 * @typedef {object} Row
 * @property {string} id  as `--only` takes it
 * @property {string} title
 * @property {string} unit  what the figures are for: message, job, row
 * @property {readonly import('./servers.js').Server[]} needs
 * @property {number} count  how many of these are measured
 * @property {number} quick  the same, for `--quick`
 * @property {Record<string, (setup: Setup) => Promise<Case>>} cases  by name; the first is ours
 * @property {readonly Reach[]} reach
 *
 * @typedef {object} Case
 * @property {() => Promise<void>} run  what is measured: returns when all is done
 * @property {() => Promise<unknown>} close
 *
 * @typedef {object} Setup
 * @property {Partial<Record<import('./servers.js').Server, { url: string, pid?: number }>>} servers
 * @property {number} count
 * @property {string} prefix  of all names of this run
 *
 * @typedef {object} Reach  what our case has to reach
 * @property {import('./report.js').Figure} figure
 * @property {string} [of]  name of another case, for a ratio
 * @property {number} [atLeast]
 * @property {number} [atMost]
 */

/** @type {readonly Row[]} */
export const ROWS = [
  idempotentPostgres,
  batchPostgres,
  outboxPostgres,
  outboxOrder,
  idempotentRedis,
  uniqueRedis,
  rateLimitRedis,
  batchRedis,
];
