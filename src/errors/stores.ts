import { HoplineError } from './hopline-error.js';

/** A table of a store is not in the database. */
export class StoreNotMigratedError extends HoplineError {
  readonly code = 'HOPLINE_STORE_NOT_MIGRATED';

  /** @param table the table's name as SQL writes it */
  constructor(table: string, schema: string, options?: { cause?: unknown }) {
    super(
      `the table ${table} is not in the database`,
      `Run \`hopline stores migrate${schema === 'hopline' ? '' : ` --schema ${schema}`}\` on it, then deploy.`,
      options,
    );
  }
}

/** A store did not answer in time. The requested change may still happen. */
export class StoreTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_STORE_TIMEOUT';
}

/** A handler asked for its transaction where there is none: it has no inbox, or the transaction is over. */
export class NoTransactionError extends HoplineError {
  readonly code = 'HOPLINE_NO_TRANSACTION';
}

/** No connection to a store's database: it is down, or refuses the credentials. Only commands connect to one. */
export class StoreConnectError extends HoplineError {
  readonly code = 'HOPLINE_STORE_CONNECT';
}

/**
 * A schema can't be migrated: a permission is missing, or a newer version has migrated it. Nothing was changed.
 * Only commands migrate.
 */
export class MigrationError extends HoplineError {
  readonly code = 'HOPLINE_MIGRATION';
}
