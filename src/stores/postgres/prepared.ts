import { createHash } from 'node:crypto';
import type { ClientBase, Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { hasLostStatement } from './sql-state.js';

/** Where statements are sent: a pool, or a single connection in a command. */
export interface Queries {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>>;
}

/** A pool, of which transactions have connections of their own. */
export interface Connections extends Queries {
  connect(
    connected: (
      error: Error | undefined,
      client: PoolClient | undefined,
      release: (error?: Error) => void,
    ) => void,
  ): void;
  /** How statements are sent on its connections; as they are if this is missing. */
  readonly prepared?: Prepared;
}

/**
 * Marks a statement that is planned each time. A prepared one keeps the plan that was good when the connection first ran it: one that
 * looks for rows in a table that was nearly empty then would read all of it from then on, until PostgreSQL next analyzes it. `INSERT …
 * ON CONFLICT` can't become that slow, since it always goes by the index.
 */
export const plannedAnew = (sql: string): string => `${ANEW}${sql}`;

/** The same of several. */
export function allPlannedAnew<Statements extends Readonly<Record<string, string>>>(
  statements: Statements,
): Statements {
  const marked = Object.entries(statements).map(([name, sql]) => [name, plannedAnew(sql)]);
  return Object.fromEntries(marked) as Statements;
}

const ANEW = '/* planned anew */';

/** Sends statements with a name, by which PostgreSQL parses and plans them once a connection. */
export class Prepared {
  private readonly names = new Map<string, string>();
  private isOn = true;

  /** @param Client what pg's connections are instances of; undefined if that isn't known */
  constructor(private readonly Client?: new () => unknown) {}

  /** True for a connection of pg: only that takes a statement with a name. */
  isFor(client: unknown): client is ClientBase {
    return this.Client !== undefined && client instanceof this.Client;
  }

  /** @throws the errors of pg */
  query<Row extends QueryResultRow>(
    client: Pick<ClientBase, 'query'>,
    text: string,
    values: unknown[] = [],
  ): Promise<QueryResult<Row>> {
    const name = this.nameOf(text, values);
    return name === undefined
      ? client.query<Row>(text, values)
      : this.watched(client.query<Row>({ name, text, values }));
  }

  /** The error of a connection that doesn't know its statements: nothing is sent with a name from then on. */
  private async watched<Result>(asked: Promise<Result>): Promise<Result> {
    try {
      return await asked;
    } catch (error) {
      if (hasLostStatement(error)) this.isOn = false;
      throw error;
    }
  }

  /** Undefined for a statement that is sent without one. */
  private nameOf(text: string, values: readonly unknown[]): string | undefined {
    if (!this.isOn || values.length === 0 || text.startsWith(ANEW)) return undefined;
    const known = this.names.get(text);
    if (known !== undefined) return known;
    const name = `hopline_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    this.names.set(text, name);
    return name;
  }
}

/** A pool on whose connections statements are prepared. */
export class PreparedPool implements Connections {
  readonly prepared: Prepared;

  constructor(private readonly pool: Pool) {
    this.prepared = new Prepared((pool as { Client?: new () => unknown }).Client);
  }

  /** A connection that doesn't know the statement has not run it, so it is sent again, without a name. */
  async query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.prepared.query<Row>(this.pool, text, values);
    } catch (error) {
      if (!hasLostStatement(error)) throw error;
      return this.pool.query<Row>(text, values);
    }
  }

  connect(...[connected]: Parameters<Connections['connect']>): void {
    this.pool.connect(connected);
  }
}
