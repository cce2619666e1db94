import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { ForeignBroker } from './broker.js';

/*
 * The programs in `clients/`, each of which is given one argument: JSON that says where the broker is, and more.
 */

const TIMEOUT_MS = 60_000;
const here = resolve(import.meta.dirname, '../../../test/foreign/clients');

/** Debian's own Python has Debian's packages; another one may be in front of it. */
const PYTHONS = ['python3', '/usr/bin/python3'];

/** Debian's packages of Go libraries lie in a path of their own, without modules. */
const GO = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };

/** Where the packages from npm are found. */
const OPTIONS = { timeout: TIMEOUT_MS, cwd: here, env: { ...process.env, ...GO } };

export const run = promisify(execFile);

export const succeeds = (file: string, ...args: string[]): Promise<boolean> =>
  run(file, args, { timeout: TIMEOUT_MS }).then(
    () => true,
    () => false,
  );

/** A Python that has this module, if there is one. */
export async function pythonWith(module: string): Promise<string | undefined> {
  for (const python of PYTHONS) if (await succeeds(python, '-c', `import ${module}`)) return python;
  return undefined;
}

export const hasNpmPackage = (name: string): boolean => existsSync(join(here, 'node_modules', name));

export const hasGoPackage = (path: string): boolean => existsSync(join(GO.GOPATH, 'src', path));

/** Waits for its end. */
export async function runProgram(
  file: string,
  command: readonly string[],
  told: ForeignBroker & object,
): Promise<void> {
  const [program, args, options] = started(file, command, told);
  await run(program, args, options);
}

/**
 * What it prints in its last line, as JSON.
 *
 * @param whenReady called once it has printed `ready`
 */
export async function printedBy(
  file: string,
  command: readonly string[],
  told: ForeignBroker & object,
  whenReady?: () => Promise<void>,
): Promise<Readonly<Record<string, unknown>>> {
  const running = run(...started(file, command, told));
  running.catch(() => {});
  const { stdout } = running.child;
  if (whenReady && stdout) {
    for await (const line of createInterface({ input: stdout })) if (line === 'ready') break;
    // Whoever stops reading lines pauses it.
    stdout.resume();
    await whenReady();
  }
  return JSON.parse((await running).stdout.trim().split('\n').at(-1) ?? '');
}

function started(file: string, [program = '', ...args]: readonly string[], { node, ...rest }: ForeignBroker) {
  const told = JSON.stringify({ ...rest, url: node.url, port: node.port });
  return [program, [...args, join(here, file), told], OPTIONS] as const;
}

/** What runs a program that it reads from its standard input, by the language of a block in the docs. */
const INTERPRETERS: Readonly<Record<string, readonly string[]>> = {
  python: ['python3', '-'],
  ruby: ['ruby', '-'],
  php: ['php'],
  perl: ['perl', '-'],
  sh: ['sh', '-e'],
  js: [process.execPath, '--input-type=module', '-'],
};

/** Runs a program of the docs. Resolves with what it printed. */
export async function runCode(language: string, code: string): Promise<string> {
  if (language === 'go') return runGo(code);
  const [file = '', ...args] = INTERPRETERS[language] ?? [];
  const module = /^import (?:[\w, ]*, )?(\w+)$/m.exec(code)?.[1] ?? '';
  const program = language === 'python' ? ((await pythonWith(module)) ?? file) : file;
  const running = run(program, args, OPTIONS);
  running.child.stdin?.end(code);
  return (await running).stdout;
}

async function runGo(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hopline-go-'));
  try {
    const file = join(folder, 'main.go');
    await writeFile(file, code);
    return (await run('go', ['run', file], OPTIONS)).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
