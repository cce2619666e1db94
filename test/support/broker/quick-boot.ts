import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * Of the time that a node takes to boot, half goes into looking for its modules: it puts the folders of all plugins, those
 * that are switched off too, before all others, and asks some seventy folders for each of a thousand modules. So a node that
 * has no plugins on is shown none, and told where most modules are.
 */

/** Whose modules a node loads, by what `name-version` begins with: the ones with most modules last, which are asked first. */
const LOADED =
  'prometheus rabbitmq_prelaunch sasl ranch osiris cuttlefish mnesia ra rabbit_common stdlib kernel rabbit'.split(
    ' ',
  );

/**
 * A boot asks each module of each application for boot steps and feature flags, and so loads them all. These have none, and
 * a third of all code: the node is shown them as if they had no modules, and loads those that it calls.
 */
const UNASKED =
  'asn1 compiler inets jsx observer_cli os_mon public_key recon ssl stdout_formatter syntax_tools syslog systemd tools xmerl'.split(
    ' ',
  );

/** The application without which no node starts: its schema says what `rabbitmq.conf` may hold. */
const REQUIRED = 'rabbit';

/** Arguments for a node's VM, and of one without plugins the folder that it is to take for the one with the plugins. */
export interface QuickBoot {
  readonly args: string;
  readonly pluginsDir?: string;
}

/** Folders that are made for it. */
export interface QuickBootFolders {
  readonly listsDir: string;
  /** None for a node with plugins: what they need of the others is not known here. */
  readonly pluginsDir: string | undefined;
}

/** Nothing if the applications are not where they are expected; the node then boots as it does by itself. */
export async function quickBoot(
  applications: readonly string[],
  { listsDir, pluginsDir }: QuickBootFolders,
): Promise<QuickBoot | undefined> {
  const find = (name: string) => applications.find((folder) => nameOf(folder) === name);
  const required = find(REQUIRED);
  if (!required) return undefined;
  await mkdir(listsDir);
  await Promise.all(UNASKED.map((name) => hideModules(name, find(name), listsDir)));
  if (pluginsDir === undefined) return { args: `-pa ${listsDir}` };
  await mkdir(pluginsDir);
  await symlink(required, join(pluginsDir, basename(required)));
  const folders = LOADED.map(find).filter((folder) => folder !== undefined);
  return { args: `-pa ${[listsDir, ...folders.map((folder) => `${folder}/ebin`)].join(' ')}`, pluginsDir };
}

/** Writes an application's description anew, without the list of its modules. Not where it lies in another root. */
async function hideModules(name: string, folder: string | undefined, listsDir: string): Promise<void> {
  const file = `${name}.app`;
  const description = folder && (await readFile(join(folder, 'ebin', file), 'utf8').catch(() => undefined));
  if (description) await writeFile(join(listsDir, file), description.replace(MODULES, '{modules,[]}'));
}

const MODULES = /\{\s*modules\s*,\s*\[[^\]]*\]\s*\}/;

/** `ra` of `/somewhere/ra-2.2.0`. */
const nameOf = (folder: string): string => basename(folder).replace(/-[^-]*$/, '');
