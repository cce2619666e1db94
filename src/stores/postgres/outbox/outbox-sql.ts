import type { RefusedEntry, TakenEntry } from '../../outbox.js';
import { plannedAnew } from '../prepared.js';

/** Maximum refused entries in the backlog. */
const REFUSED_AT_MOST = 100;

/** A row of the outbox, as the statements return it. */
export interface EntryRow {
  readonly id: string;
  readonly message_id: string;
  readonly routing_key: string;
  readonly order_key: string | null;
  readonly message: string;
  readonly refusals: number;
  readonly waited_ms: number;
}

/** Without the message, which may be large. */
export interface RefusedRow extends Omit<EntryRow, 'message' | 'waited_ms'> {
  readonly error: string;
}

export function refusedOf(row: RefusedRow): RefusedEntry {
  return {
    id: row.id,
    messageId: row.message_id,
    routingKey: row.routing_key,
    orderKey: row.order_key ?? undefined,
    refusals: row.refusals,
    error: row.error,
  };
}

export function entryOf(row: EntryRow): TakenEntry {
  return {
    id: row.id,
    messageId: row.message_id,
    routingKey: row.routing_key,
    orderKey: row.order_key ?? undefined,
    message: row.message,
    refusals: row.refusals,
    waitedMs: Math.max(0, row.waited_ms),
  };
}

/** Sort by `entry.id`: `id` alone is the text. */
const HEAD = 'id::text, message_id, routing_key, order_key, refusals';
const COLUMNS = `${HEAD}, message,
  extract(epoch FROM clock_timestamp() - added_at)::float8 * 1000 AS waited_ms`;

/** `hashtextextended` returns a 64-bit number, the key of an advisory lock. */
const lockOf = (use: string, table: string) => `hashtextextended('${use} ${table} ' || order_key, 0)`;

/**
 * The key of the lock that a relay holds while it waits to be woken. Whoever adds an entry shares it until the transaction ends, or, if that can't be
 * had, notifies; see migrations.ts.
 */
const restLock = (schema: string) => `hashtextextended('hopline_outbox ${schema}', 0)`;

/**
 * The outbox's statements. Those that add have a single parameter, and no question mark, so that any wrapper of a client
 * can run them.
 *
 * @param schema the quoted schema
 */
export function outboxStatements(schema: string) {
  const table = `${schema}.outbox`;
  const lock = restLock(schema);
  const isHeld = `locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = ${lock}`;
  // One moment for all rows of a statement: else a refused row that becomes due during the statement would be
  // passed over, but not the rows behind it.
  const isDue = `(again_at IS NULL OR again_at <= statement_timestamp())`;
  // OFFSET changes no result, but makes PostgreSQL look up the index for each row. Without it the planner would
  // make a join, and compare each row with all refused ones if its statistics know of none.
  const isHeldUp = `EXISTS (
  SELECT FROM ${table} AS earlier
  WHERE earlier.order_key = entry.order_key AND earlier.id < entry.id AND earlier.again_at > statement_timestamp() OFFSET 0
)`;
  return {
    /** Of entries without an order key. */
    addFree: `
INSERT INTO ${table} (message_id, routing_key, message)
SELECT message_id, routing_key, message FROM json_to_recordset($1::text::json)
  AS entry (place integer, message_id text, routing_key text, message text) ORDER BY place`,
    /**
     * A transaction that adds under a key waits for earlier ones with that key, so that a key's numbers are in
     * commit order. Numbers are drawn after that wait, since `locked` has to be read first.
     */
    add: `
WITH entry AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::text::json)
    AS entry (place integer, message_id text, routing_key text, order_key text, message text)
), locked AS MATERIALIZED (
  SELECT count(pg_advisory_xact_lock(${lockOf('add', table)})::text) AS keys
  FROM (SELECT DISTINCT order_key FROM entry WHERE order_key IS NOT NULL ORDER BY order_key) AS key
)
INSERT INTO ${table} (message_id, routing_key, order_key, message)
SELECT message_id, routing_key, order_key, message FROM locked CROSS JOIN entry ORDER BY place`,
    /**
     * Order keys of the first waiting rows. Rows that can't be taken are left out: they would keep out all rows
     * behind them. They are walked over each time: 100,000 rows take a fifth of a second. OFFSET keeps the
     * locks behind the filter.
     */
    lockKeys: plannedAnew(`
SELECT DISTINCT order_key FROM (
  SELECT order_key FROM (
    SELECT order_key FROM ${table} AS entry WHERE ${isDue} AND NOT ${isHeldUp} ORDER BY id OFFSET 0
  ) AS ready WHERE order_key IS NULL OR pg_try_advisory_xact_lock(${lockOf('relay', table)}) LIMIT $1
) AS first WHERE order_key IS NOT NULL`),
    /** Sizes first: all takeable messages may be more than fits into memory. */
    take: plannedAnew(`
SELECT id::text, octet_length(message) AS bytes FROM ${table} AS entry
WHERE ${isDue} AND (order_key IS NULL OR order_key = ANY($1) AND NOT ${isHeldUp})
ORDER BY entry.id LIMIT $2 FOR UPDATE SKIP LOCKED`),
    read: plannedAnew(
      `SELECT ${COLUMNS} FROM ${table} AS entry WHERE id = ANY($1::bigint[]) ORDER BY entry.id`,
    ),
    remove: plannedAnew(`DELETE FROM ${table} WHERE id = ANY($1::bigint[])`),
    refuse: plannedAnew(`
UPDATE ${table}
SET refusals = refusals + 1, error = $2, again_at = clock_timestamp() + make_interval(secs => $3)
WHERE id = $1::bigint`),
    /** True if an entry that is added from now on wakes: for this relay, or another one that has the lock already. */
    rest: `SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE ${isHeld}) THEN true ELSE pg_try_advisory_lock(${lock}) END AS "isWoken"`,
    rise: `SELECT pg_advisory_unlock(${lock}) FROM pg_locks WHERE ${isHeld} AND pid = pg_backend_pid()`,
    backlog: `
SELECT count(*) AS waiting,
  greatest(0, extract(epoch FROM clock_timestamp() - min(added_at))::float8 * 1000) AS lag_ms FROM ${table}`,
    refused: `
SELECT ${HEAD}, error FROM ${table} AS entry WHERE again_at IS NOT NULL ORDER BY entry.id LIMIT ${REFUSED_AT_MOST}`,
  };
}
