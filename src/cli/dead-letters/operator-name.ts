import { hostname, userInfo } from 'node:os';

/** Who gives a command, for notes that other operators read: `ann@desk`. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // In a container the user may have no name.
    return hostname();
  }
}
