import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A test's own schema, not made yet, and the connections to its database. */
export class TestSchema {
  readonly name = `hopline_test_${randomBytes(6).toString('hex')}`;
  private readonly pools: pg.Pool[] = [];

  constructor(readonly url: string) {}

  /** One more client of the database, with one connection unless `config` says otherwise. */
  pool(config: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.url, max: 1, ...config });
    pool.on('error', () => {}); // told by what is asked of it
    this.pools.push(pool);
    return pool;
  }

  /** Works with a connection that is closed afterwards. */
  async connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async rows<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return this.connected(async (client) => (await client.query<Row>(sql)).rows);
  }

  /** Whether there is anything of it. */
  async exists(): Promise<boolean> {
    return (await this.rows(`SELECT FROM pg_namespace WHERE nspname = '${this.name}'`)).length === 1;
  }

  async endPools(): Promise<void> {
    await Promise.all(this.pools.splice(0).map((pool) => pool.end()));
  }

  async drop(): Promise<void> {
    await this.endPools();
    await this.rows(`DROP SCHEMA IF EXISTS "${this.name}" CASCADE`);
  }
}
