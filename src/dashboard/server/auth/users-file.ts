import { readFileSync } from 'node:fs';
import { type KeptPassword, readKept } from './password.js';

/** A user with a password. */
export interface KnownUser {
  readonly name: string;
  readonly password: KeptPassword;
  readonly mayAct: boolean;
}

/** What a line of the file is, for messages. */
const FORM = 'name:scrypt$…, with :look at its end for a user who may not act';

/**
 * Reads the lines of users. Empty lines and those that begin with `#` are left out.
 *
 * @param given path of a file, or its lines
 * @returns the users by name, or the problems as sentences, which name lines by their number and never show one
 */
export function readUsers(given: string | readonly string[]): {
  readonly users: ReadonlyMap<string, KnownUser>;
  readonly problems: readonly string[];
} {
  const users = new Map<string, KnownUser>();
  const problems: string[] = [];
  for (const [index, line] of linesOf(given, problems).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const user = userIn(line.trim());
    if (!user) problems.push(`line ${index + 1} of auth.users is not ${FORM}`);
    else if (users.has(user.name))
      problems.push(`line ${index + 1} of auth.users has a name again that another has`);
    else users.set(user.name, user);
  }
  if (users.size === 0 && problems.length === 0)
    problems.push('auth.users holds no user: `hopline dashboard user NAME` prints a line');
  return { users, problems };
}

function linesOf(given: string | readonly string[], problems: string[]): readonly string[] {
  if (typeof given !== 'string') return given;
  try {
    return readFileSync(given, 'utf8').split(/\r?\n/);
  } catch (error) {
    problems.push(`can't read the file auth.users names: ${(error as Error).message}`);
    return [];
  }
}

function userIn(line: string): KnownUser | undefined {
  const [, name, kept = '', look] = /^([^:\s]{1,100}):(scrypt\$[^:]+)(:look)?$/.exec(line) ?? [];
  const password = readKept(kept);
  return name === undefined || !password ? undefined : { name, password, mayAct: look === undefined };
}
