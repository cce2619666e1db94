import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where a server finds what is its own, as it sees it. */
export interface ServerFiles {
  /** The folders of its Erlang applications, and of those of the Erlang that it runs on. Empty where nobody knows. */
  readonly applications: readonly string[];
  /** Erlang's `erl_call`. */
  readonly erlCall: string | undefined;
}

/**
 * @param server the server's script
 * @param erl Erlang's starter, if that is found
 * @param root the folder that is `/` to the server
 */
export async function serverFiles(server: string, erl: string | undefined, root = ''): Promise<ServerFiles> {
  const base = root && (await realpath(root));
  const namesIn = async (folder: string) => {
    const names = await readdir(join(base, folder)).catch(() => []);
    return names.map((name) => join(folder, name));
  };
  /** The folder above the one that a program is in. */
  const above = async (program: string | undefined) => {
    if (program === undefined) return undefined;
    const path = await realpath(join(base, program)).catch(() => '');
    return path !== '' && path.startsWith(base) ? dirname(dirname(path.slice(base.length))) : undefined;
  };
  const [home, erlang] = await Promise.all([above(server), above(erl)]);
  const folders = await Promise.all([
    home ? namesIn(join(home, 'plugins')) : [], // RabbitMQ's own applications, too
    erlang ? namesIn(join(erlang, 'lib')) : [],
  ]);
  const runtime = (erlang ? await namesIn(erlang) : []).find((path) => basename(path).startsWith('erts-'));
  const programs = runtime ? await namesIn(join(runtime, 'bin')) : [];
  return {
    // They become words of a command line.
    applications: folders.flat().filter((folder) => !/\s/.test(folder)),
    erlCall: programs.find((path) => basename(path) === 'erl_call'),
  };
}
