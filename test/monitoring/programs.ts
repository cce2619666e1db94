import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { installPackage } from '../support/broker/apt.js';

/** Programs of Debian's package `prometheus`. */
type Program = 'prometheus' | 'promtool';

/** Path of a program; installs the package first where that is possible. @throws Error that says how to get it */
export async function programOf(name: Program): Promise<string> {
  const found = await find(name);
  if (found !== undefined) return found;
  const declined = await installPackage('prometheus');
  const installed = await find(name);
  if (installed !== undefined) return installed;
  throw new Error(
    `${name} is not installed: ${declined?.reason ?? 'the package has none'}. Install it yourself.`,
  );
}

async function find(name: Program): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
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
