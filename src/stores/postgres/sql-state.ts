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

/** Ways to say that the connection ends: what it was asked just before may have been done (40003 says so itself). */
const ENDS = /^(08|57P0|40003)/;

/** PostgreSQL has answered that it has not done it; a connection that was lost has not. */
export function isRefusal(error: unknown): boolean {
  const isAnswer = (error as { severity?: unknown } | undefined)?.severity !== undefined;
  return isAnswer && !ENDS.test(String(codeOf(error)));
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
