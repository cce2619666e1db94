import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually } from '../eventually.js';
import type { Command } from './server-program.js';

const START_TIMEOUT_MS = 10_000;

/**
 * Erlang's port mapper, on the port and address that `env` gives it. A VM that finds none starts one as a daemon, which
 * outlives the VM and whose process id nobody tells us: so this one has to be up before.
 *
 * @param onSpawned told at once, before it is up
 */
export async function startEpmd(
  { file, args }: Command,
  env: NodeJS.ProcessEnv,
  onSpawned: (epmd: ChildProcess) => void,
): Promise<void> {
  const epmd = spawn(file, args, { env, cwd: '/', detached: true, stdio: 'ignore' });
  onSpawned(epmd);
  await once(epmd, 'spawn');
  epmd.unref();
  await eventually(() => accepts(Number(env.ERL_EPMD_PORT)), { timeout: START_TIMEOUT_MS });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => finish(true)).once('error', () => finish(false));
  });
}
