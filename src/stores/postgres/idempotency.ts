import type { HandledKey, IdempotencyStore } from '../idempotency.js';
import { ANSWER_WITHIN_MS, ExpiringTable, keyOf } from './expiring-table.js';
import { Gathered } from './gathered.js';
import { plannedAnew, type Queries } from './prepared.js';

type ClaimAnswer = 'claimed' | HandledKey | number;

interface Claim {
  readonly name: string;
  readonly owner: string;
  readonly forMs: number;
}

interface Finish {
  readonly name: string;
  readonly owner: string;
  readonly keepMs: number;
  readonly note: string;
}

/** A key that another has. */
interface Row {
  readonly name: string;
  /** Null if the key is done. */
  readonly owner: string | null;
  readonly note: string | null;
  /** Null if an inbox is at it. */
  readonly left_ms: number | null;
}

/** Keys that idempotent handlers handle, in PostgreSQL: a row has the key, its owner or "done", and the expiry by the database's clock. */
export class PostgresIdempotency implements IdempotencyStore {
  private readonly table: ExpiringTable;
  private readonly sql: ReturnType<typeof statementsOf>;
  private readonly claims: Gathered<Claim, ClaimAnswer>;
  private readonly finishes: Gathered<Finish, boolean>;

  constructor(pool: Queries, schema: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.table = new ExpiringTable(pool, schema, 'claims', 'until', answerWithinMs);
    this.sql = statementsOf(this.table.name);
    this.claims = new Gathered<Claim, ClaimAnswer>({ ask: (claims) => this.claimAll(claims), keyOf: nameOf });
    this.finishes = new Gathered<Finish, boolean>({
      ask: (finishes) => this.finishAll(finishes),
      keyOf: nameOf,
    });
  }

  claim(key: string, owner: string, forMs: number): Promise<ClaimAnswer> {
    return this.claims.add({ name: keyOf(key), owner, forMs });
  }

  finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean> {
    return this.finishes.add({ name: keyOf(key), owner, keepMs, note });
  }

  async release(key: string, owner: string): Promise<void> {
    await this.table.ask(this.sql.release, [keyOf(key), owner]);
  }

  private async claimAll(claims: readonly Claim[]): Promise<ClaimAnswer[]> {
    const rows = await this.table.rows<Row>(this.sql.claim, [
      claims.map(({ name }) => name),
      claims.map(({ owner }) => owner),
      claims.map(({ forMs }) => forMs / 1_000),
    ]);
    if (rows.length === 0) return claims.map(() => 'claimed');
    const others = new Map(rows.map((row) => [row.name, row]));
    return claims.map(({ name, forMs }) => {
      const row = others.get(name);
      if (!row) return 'claimed';
      if (row.left_ms === null) return forMs;
      return row.owner === null ? { handled: row.note ?? '' } : Math.max(1, row.left_ms);
    });
  }

  private async finishAll(finishes: readonly Finish[]): Promise<boolean[]> {
    const rows = await this.table.rows<{ name: string }>(this.sql.finish, [
      finishes.map(({ name }) => name),
      finishes.map(({ owner }) => owner),
      finishes.map(({ keepMs }) => Math.min(keepMs, LONGEST_MS) / 1_000),
      finishes.map(({ note }) => note),
    ]);
    const lost = new Set(rows.map(({ name }) => name));
    return finishes.map(({ name }) => !lost.has(name));
  }
}

const nameOf = ({ name }: { readonly name: string }): string => name;

/** Twenty years: `finish` writes a time as that moment after 1970, and it has to be over. */
const LONGEST_MS = 20 * 365 * 86_400_000;

const IS_FREE = '(claim.until <= statement_timestamp() OR claim.owner = excluded.owner)';
const EPOCH = `'epoch'::timestamptz`;

/**
 * Statements on lists of keys, each of them once. `claim` returns a row for each key that another has. Whose row stays as it is is written again:
 * only so does one statement both take a key and tell who has it, though that may have changed since it began. An inbox holds the row of its key
 * for as long as its handler runs, and a lock on the key, by which it is passed over here.
 *
 * `finish` returns the keys that are no longer the owner's. A row that is gone is inserted, and has expired already.
 */
const statementsOf = (table: string) => ({
  claim: `
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::float8[]) AS given (name, owner, secs)
), claimed AS (
  INSERT INTO ${table} AS claim (name, owner, until)
  SELECT name, owner, clock_timestamp() + make_interval(secs => secs) FROM given
  WHERE pg_try_advisory_xact_lock_shared(hashtextextended('${table}' || name, 0))
  ON CONFLICT (name) DO UPDATE SET
    owner = CASE WHEN ${IS_FREE} THEN excluded.owner ELSE claim.owner END,
    until = CASE WHEN ${IS_FREE} THEN excluded.until ELSE claim.until END
  RETURNING name, owner, note, until
)
SELECT name, owner, note, extract(epoch FROM until - clock_timestamp())::float8 * 1000 AS left_ms FROM claimed
WHERE owner IS NULL OR (name, owner) NOT IN (SELECT name, owner FROM given)
UNION ALL
SELECT name, NULL, NULL, NULL FROM given WHERE name NOT IN (SELECT name FROM claimed)`,
  finish: `
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::float8[], $4::text[]) AS given (name, owner, secs, note)
), finished AS (
  INSERT INTO ${table} AS claim (name, owner, until, note)
  SELECT name, owner, ${EPOCH} + make_interval(secs => secs), note FROM given
  ON CONFLICT (name) DO UPDATE SET
    owner = NULL, note = excluded.note, until = clock_timestamp() + (excluded.until - ${EPOCH})
    WHERE claim.owner = excluded.owner AND claim.until > clock_timestamp()
  RETURNING name, owner
)
SELECT name FROM given WHERE name NOT IN (SELECT name FROM finished WHERE owner IS NULL)`,
  release: plannedAnew(`
WITH gone AS (DELETE FROM ${table} WHERE name = $1 AND owner = $2 RETURNING name)
SELECT EXISTS (SELECT FROM gone) AS released`),
});
