/** The connection of a transaction. With `postgresStores()` it is pg's own client. */
export interface TransactionClient {
  // biome-ignore lint/suspicious/noExplicitAny: what a row holds is the query's own word
  query<Row = any>(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
}
