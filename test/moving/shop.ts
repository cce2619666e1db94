import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from '../project/repository.js';

const app = join(root, 'test/moving/app');
const HOPLINE = ['package.json', 'lib'];

/** Longer than a start of two clients and of Nest takes on a busy machine. */
const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 30_000;

/**
 * Compiles the shop against the built package. It has a copy, as from a registry: a link would lead to the Nest of this repository.
 */
export async function buildShop(): Promise<void> {
  const installed = join(app, 'node_modules/hopline');
  await rm(installed, { recursive: true, force: true });
  await mkdir(installed, { recursive: true });
  for (const part of HOPLINE) await cp(join(root, part), join(installed, part), { recursive: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '--project', app]).catch(({ stdout }: { stdout: string }) => {
    throw new Error(`the shop does not compile:\n${stdout}`);
  });
}

/** One run of a handler of the shop. */
export interface Handled {
  readonly part: string;
  readonly by: 'golevelup' | 'hopline';
  readonly id: number;
}

/** What the traffic of a process was; see `app/src/traffic.ts`. */
export interface Traffic {
  readonly placed: readonly number[];
  readonly quoted: readonly number[];
  readonly wrong: readonly string[];
}

/** A process of the shop: which of its parts run there, by which library. */
export class ShopProcess {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
  }

  /** @param parts such as `billing=moving`; @param onHandled told of what its handlers have done */
  static async start(
    parts: readonly string[],
    env: Readonly<Record<string, string>>,
    onHandled: (handled: Handled) => void,
  ): Promise<ShopProcess> {
    const child = fork(join(app, 'dist/main.js'), parts, { env: { ...process.env, ...env }, silent: true });
    const shop = new ShopProcess(child);
    child.on('message', (message: object) => 'part' in message && onHandled(message as Handled));
    await shop.told('ready', READY_WITHIN_MS);
    return shop;
  }

  startTraffic(): void {
    this.child.send({ traffic: 'start' });
  }

  /** Resolves once all that was published and asked is confirmed and answered. */
  async stopTraffic(): Promise<Traffic> {
    const ended = this.told('placed', STOPPED_WITHIN_MS);
    this.child.send({ traffic: 'stop' });
    return (await ended) as Traffic;
  }

  /** As whoever deploys does it. @throws Error if it has to be killed, or ends with an error */
  async stop(): Promise<void> {
    const exited = once(this.child, 'exit', { signal: AbortSignal.timeout(STOPPED_WITHIN_MS) });
    this.child.kill('SIGTERM');
    const [code, signal] = await exited.catch(() => {
      this.child.kill('SIGKILL');
      return ['still running'];
    });
    if (code !== 0 && signal !== 'SIGTERM') throw new Error(`the shop ended with ${code}: ${this.output}`);
  }

  /** The message in which this field is. */
  private async told(field: string, withinMs: number): Promise<object> {
    const over = AbortSignal.timeout(withinMs);
    return new Promise((resolve, reject) => {
      const fail = (why: string) => () => reject(new Error(`the shop ${why}: ${this.output}`));
      over.addEventListener('abort', fail(`has not told of '${field}'`));
      this.child.once('exit', fail(`has ended before it told of '${field}'`));
      this.child.on('message', (message: object) => field in message && resolve(message));
    });
  }
}
