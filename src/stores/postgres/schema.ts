import { OptionsError } from '../../errors.js';
import { type Check, problemsOf, required } from '../../util/check.js';

/** Default schema of Hopline's tables. */
export const DEFAULT_SCHEMA = 'hopline';

/** PostgreSQL truncates longer names, and reserves names that begin with pg_. */
export const schemaName: Check = {
  expected: "a plain name for a schema (a-z, 0-9 and _, at most 63, no digit and no 'pg_' in front)",
  accepts: (value) => typeof value === 'string' && /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(value),
};

/** @throws OptionsError */
export function checkSchema(schema: string, what: string): void {
  const problems = problemsOf({ schema }, '', { schema: required(schemaName) });
  if (problems.length > 0) throw new OptionsError(what, problems);
}

/** A {@link schemaName} for SQL, which may be a reserved word: `"user"`. */
export const quoted = (schema: string): string => `"${schema}"`;
