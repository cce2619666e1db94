import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A shell line that has ended. */
export interface Ended {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  /** Both outputs, as they came. */
  readonly output: string;
}

export interface ShellOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** After which it is ended, with all that it has started. */
  readonly withinMs: number;
}

/** Runs a shell line to its end; what it has started ends with it. */
export async function shell(line: string, { cwd, env, withinMs }: ShellOptions): Promise<Ended> {
  const child = spawn('sh', ['-c', line], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const endAll = () => endGroup(child.pid);
  running.add(endAll);
  const timer = setTimeout(() => {
    output += `\nended after ${withinMs / 1_000} s`;
    endAll();
  }, withinMs);
  try {
    const [code, signal] = await once(child, 'close');
    return { code: signal ?? code, stdout, output };
  } finally {
    clearTimeout(timer);
    running.delete(endAll);
  }
}

/** Ends everything that still runs. */
export function endShells(): void {
  for (const end of running) end();
}

const running = new Set<() => void>();

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
