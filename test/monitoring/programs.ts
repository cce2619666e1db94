import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../support/broker/apt.js';

/** Programs of Debian's package `prometheus`. */
type Program = 'prometheus' | 'promtool';

const APT_TIMEOUT_MS = 240_000;

/**
 * Path of a program: the installed one, else that of Debian's package, unpacked into the user's cache folder the first time. They need nothing
 * else, and nobody need be root for it.
 *
 * @throws Error if this is no Debian or Ubuntu, or the package can't be had
 */
export async function programOf(name: Program): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean))
    if (await exists(join(folder, name))) return join(folder, name);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const root = join(cache, 'hopline-tests', 'prometheus');
  if (!(await exists(root))) await unpack(root);
  return join(root, 'usr/bin', name);
}

async function unpack(root: string): Promise<void> {
  process.stderr.write("tests: unpacking Debian's prometheus\n");
  const work = `${root}.${process.pid}`;
  try {
    await mkdir(work, { recursive: true });
    await download(work);
    await run('sh', ['-c', 'dpkg -x prometheus_*.deb root'], work);
    await rename(join(work, 'root'), root);
  } catch (error) {
    // Another test run may have been quicker.
    if (!(await exists(root)))
      throw new Error(`prometheus is not installed, and can't be unpacked: ${(error as Error).message}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(work: string): Promise<void> {
  const get = () => run('apt-get', ['--quiet', 'download', 'prometheus'], work);
  await get().catch(async () => {
    // Most likely its lists are missing, as in every slim image.
    await run('apt-get', ['--quiet', 'update'], work);
    await get();
  });
}

async function run(file: string, args: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(file, args, { cwd, timeout: APT_TIMEOUT_MS, maxBuffer: 2 ** 26 });
}

/** Runs promtool; resolves with what it printed, and whether it was content. */
export async function promtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly isContent: boolean; readonly output: string }> {
  const child = execFile(await programOf('promtool'), args);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  return { isContent: code === 0, output };
}

/** An alert as Prometheus tells it. */
export interface Alert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A running Prometheus. */
export class Prometheus {
  private output = '';

  private constructor(
    readonly url: string,
    private readonly child: ReturnType<typeof spawn>,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
  }

  /** @param folder where its configuration is, as prometheus.yml, and where it keeps its data */
  static async start(folder: string, port: number): Promise<Prometheus> {
    const address = `127.0.0.1:${port}`;
    const child = spawn(await programOf('prometheus'), [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ]);
    return new Prometheus(`http://${address}`, child);
  }

  /** Its output, for the message of an assertion. */
  get said(): string {
    return this.output;
  }

  async alerts(): Promise<readonly Alert[]> {
    const { alerts } = (await this.ask('/api/v1/alerts')) as { alerts: readonly Alert[] };
    return alerts;
  }

  /** Values of a query now, by their labels. */
  async query(expression: string): Promise<readonly { readonly metric: object; readonly value: number }[]> {
    const asked = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { result } = (await this.ask(asked)) as {
      result: readonly { readonly metric: object; readonly value: readonly [number, string] }[];
    };
    return result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGTERM');
    await closed;
  }

  private async ask(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`);
    const { data } = (await response.json()) as { data: unknown };
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return data;
  }
}
