/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';
const INVALID_STATEMENT_NAME = '26000';
const DUPLICATE_PREPARED_STATEMENT = '42P05';

/** True if another transaction has changed a row meanwhile: PostgreSQL's answer in serializable transactions. */
export const isSerializationFailure = (error: unknown): boolean => codeOf(error) === SERIALIZATION_FAILURE;

/**
 * True if another transaction was faster: the statement changed nothing, and a repeated one sees the other's
 * change.
 */
export const isOvertaken = (error: unknown): boolean =>
  [SERIALIZATION_FAILURE, DEADLOCK, UNIQUE_VIOLATION].includes(codeOf(error) as string);

export const isUndefinedTable = (error: unknown): boolean => codeOf(error) === UNDEFINED_TABLE;

/**
 * True if the connection isn't the one on which a statement was prepared, though it seems to be: a pooler between has given another. The
 * statement was not run.
 */
export const hasLostStatement = (error: unknown): boolean =>
  [INVALID_STATEMENT_NAME, DUPLICATE_PREPARED_STATEMENT].includes(codeOf(error) as string);

/** States that report the end of the connection: the last statement may have been executed (40003 says so itself). */
const ENDS = /^(08|57P0|40003)/;

/** True if PostgreSQL has answered that it did not do it. A lost connection gives no such answer. */
export function isRefusal(error: unknown): boolean {
  const isAnswer = (error as { severity?: unknown } | undefined)?.severity !== undefined;
  return isAnswer && !ENDS.test(String(codeOf(error)));
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
