/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';

/** Where transactions are serializable by default, PostgreSQL says so that somebody else has changed a row meanwhile. */
export const isSerializationFailure = (error: unknown): boolean => codeOf(error) === SERIALIZATION_FAILURE;

/** Another transaction was quicker: the statement has changed nothing, and sees what that one did when asked again. */
export const isOvertaken = (error: unknown): boolean =>
  [SERIALIZATION_FAILURE, DEADLOCK, UNIQUE_VIOLATION].includes(codeOf(error) as string);

export const isUndefinedTable = (error: unknown): boolean => codeOf(error) === UNDEFINED_TABLE;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
