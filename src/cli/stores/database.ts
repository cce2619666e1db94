import type { Command } from 'commander';
import { fileOf } from '../broker/broker.js';
import { UsageError } from '../usage-error.js';

/**
 * Flags of the database's address. No flag takes the address itself: it holds a password, and everybody on
 * the machine can read a command line.
 */
export interface DatabaseFlags {
  readonly databaseUrlFile?: string;
}

export function withDatabase(command: Command): Command {
  return command.option(
    '--database-url-file <file>',
    "file that holds the database's address; else it is taken from DATABASE_URL",
  );
}

/** Reads the database's address from file or environment. @throws UsageError */
export function databaseUrlOf({ databaseUrlFile: file }: DatabaseFlags, env: NodeJS.ProcessEnv): string {
  const url =
    file === undefined ? env.DATABASE_URL : fileOf(file, '--database-url-file', 'one address').trim();
  if (!url) {
    throw new UsageError(
      'no address of a database',
      'Set DATABASE_URL=postgres://user:password@host:5432/database, or write it into a file and give --database-url-file',
    );
  }
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new UsageError(
      'the address of the database is not postgres://… or postgresql://…',
      'A special character in the password is written percent-encoded',
    );
  }
  return url;
}
