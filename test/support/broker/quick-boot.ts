import { mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * Of the time that a node takes to boot, half goes into looking for its modules: it puts the folders of all plugins, those
 * that are switched off too, before all others, and asks some seventy folders for each of a thousand modules. So a node that
 * has no plugins on is shown none, and told where most modules are.
 */

/** Whose modules a node loads, by what `name-version` begins with: the ones with most modules last, which are asked first. */
const LOADED =
  'prometheus rabbitmq_prelaunch sasl tools ranch osiris cuttlefish mnesia xmerl ra compiler inets ssl rabbit_common stdlib kernel rabbit'.split(
    ' ',
  );

/** The application without which no node starts: its schema says what `rabbitmq.conf` may hold. */
const REQUIRED = 'rabbit';

/** For a node without plugins: arguments for its VM, and the folder that it is to take for the one with the plugins. */
export interface QuickBoot {
  readonly args: string;
  readonly pluginsDir: string;
}

/** Nothing if the applications are not where they are expected; the node then boots as it does by itself. */
export async function quickBoot(
  applications: readonly string[],
  pluginsDir: string,
): Promise<QuickBoot | undefined> {
  const find = (name: string) => applications.find((folder) => nameOf(folder) === name);
  const required = find(REQUIRED);
  if (!required) return undefined;
  await mkdir(pluginsDir);
  await symlink(required, join(pluginsDir, basename(required)));
  const folders = LOADED.map(find).filter((folder) => folder !== undefined);
  return { args: `-pa ${folders.map((folder) => `${folder}/ebin`).join(' ')}`, pluginsDir };
}

/** `ra` of `/somewhere/ra-2.2.0`. */
const nameOf = (folder: string): string => basename(folder).replace(/-[^-]*$/, '');
