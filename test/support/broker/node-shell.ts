import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Command } from './server-program.js';

/**
 * A start of `rabbitmqctl` takes a second and half of that of a core, and most of what tests ask of it is one call within the
 * node. Erlang's `erl_call` makes that in some milliseconds.
 */

/** Who has changed something, for the node's log. */
const ACTING_USER = 'tests';

/** The calls that `rabbitmqctl` makes for these commands. */
const CALLS: Readonly<Record<string, string>> = {
  add_user: 'rabbit_auth_backend_internal:add_user',
  delete_user: 'rabbit_auth_backend_internal:delete_user',
  change_password: 'rabbit_auth_backend_internal:change_password',
  set_permissions: 'rabbit_auth_backend_internal:set_permissions',
  add_vhost: 'rabbit_vhost:add',
  delete_vhost: 'rabbit_vhost:delete',
};

/** What a command of `rabbitmqctl` evaluates within the node; undefined for one that only the program itself can do. */
export function expressionOf([name = '', ...args]: readonly string[]): string | undefined {
  if (name === 'eval') return args[0]?.trim().replace(/\.$/, '');
  if (name === 'close_all_connections' && args.length === 1)
    return `begin [catch rabbit_networking:close_connection(Pid, ${binary(args[0])}) || Pid <- rabbit_networking:local_connections()], ok end`;
  if (name === 'set_disk_free_limit') return `rabbit_disk_monitor:set_disk_free_limit(${bytes(args[0])})`;
  if (name === 'set_vm_memory_high_watermark') {
    const limit = args[0] === 'absolute' ? `{absolute, ${bytes(args[1])}}` : Number(args[0]).toFixed(9);
    return `vm_memory_monitor:set_vm_memory_high_watermark(${limit})`;
  }
  const call = CALLS[name];
  if (!call) return undefined;
  const words = name === 'set_permissions' ? permissionWords(args) : args;
  return `ok = ${call}(${[...words, ACTING_USER].map(binary).join(', ')})`;
}

/** User and virtual host in the order of the call: `[-p VHOST] USER CONFIGURE WRITE READ`. */
function permissionWords(args: readonly string[]): readonly string[] {
  const [vhost = '/', rest] = args[0] === '-p' ? [args[1], args.slice(2)] : ['/', args];
  const [user = '', ...patterns] = rest;
  return [user, vhost, ...patterns];
}

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** Of `50MB`. */
function bytes(size = ''): number {
  const [, number, unit = ''] = /^(\d+)(MB|GB)$/.exec(size) ?? [];
  const factor = UNITS[unit];
  if (factor === undefined) throw new Error(`expected a size such as 50MB, got '${size}'`);
  return Number(number) * factor;
}

/** Whatever is in it: the expression itself is ASCII. */
const binary = (word = ''): string => `base64:decode("${Buffer.from(word).toString('base64')}")`;

/**
 * Evaluates an expression within a node, and resolves with its value as the Erlang shell writes it.
 *
 * @param erlCall how `erl_call` is started, with the node it is to ask
 * @throws Error with what it said, also if that took longer than `timeout` ms
 */
export async function evaluate(
  erlCall: Command,
  expression: string,
  where: { readonly env: NodeJS.ProcessEnv; readonly cwd: string; readonly timeout: number },
): Promise<string> {
  // Its own way to write a value leaves binaries out: so the value comes as text, in letters that need no quoting.
  const program = `binary_to_list(base64:encode(unicode:characters_to_binary(io_lib:format("~tp~n", [begin ${expression} end])))).\n`;
  const child = spawn(erlCall.file, erlCall.args, { ...where, stdio: 'pipe' });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(program);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const value = /^\{ok, "([\w+/=]*)"\}/.exec(stdout)?.[1];
  // Without the expression, which may hold a password.
  if (value === undefined) throw new Error(`a call within the node failed: ${stdout}${stderr}`);
  return Buffer.from(value, 'base64').toString();
}
