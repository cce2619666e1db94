import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../project/repository.js';
import { eventually } from '../../support/eventually.js';

export interface DashboardGiven {
  readonly url: string;
  readonly prefix: string;
  /** Address of the management API. @default it is not asked */
  readonly management?: string;
  /** Where the stores are. @default there are none */
  readonly database?: { readonly url: string; readonly schema: string };
  /** Further options of `dashboard()` that JSON can hold. */
  readonly options?: object;
}

const PROGRAM = join(root, 'dist/test/browser/apps/dashboard.js');

/** The dashboard as users have it, in a process of its own. */
export class DashboardProcess {
  private said = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        this.said += chunk;
      });
  }

  /** Resolves once it listens. @throws Error with what it has said, if it ends instead */
  static async start({ url, ...given }: DashboardGiven): Promise<DashboardProcess> {
    const env = { ...process.env, AMQP_URL: url, NODE_ENV: 'production' };
    const dashboard = new DashboardProcess(
      spawn(process.execPath, [PROGRAM, JSON.stringify(given)], { env }),
    );
    await eventually(() => {
      if (dashboard.child.exitCode !== null) throw new Error(`the dashboard has ended: ${dashboard.said}`);
      return dashboard.address !== '';
    });
    return dashboard;
  }

  /** Where the application's pages begin. */
  get address(): string {
    return /^http:\S+/m.exec(this.said)?.[0] ?? '';
  }

  /** All that it has written. */
  get log(): string {
    return this.said;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'close');
  }
}
