import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { application, packClone } from '../project/packing.js';
import { root } from '../project/repository.js';
import { Guard } from '../support/broker/guard.js';
import { NextProcess } from './next-process.js';

/** What the application has beside Hopline, in versions that stay. */
const BESIDE = [
  ...['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'],
  ...['reflect-metadata@0.2.2', 'tsyringe@4.10.0'],
  ...['typescript@5.9.3', '@types/node@20.19.43', '@types/react@19.3.3'],
];

/** The guide's application of Next.js, in a temporary folder of which nothing stays, also if the tests are killed. */
export class NextApplication {
  private constructor(
    private readonly folder: string,
    private readonly guard: Guard,
  ) {}

  static async install(): Promise<NextApplication> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-next-'));
    const guard = new Guard(folder);
    try {
      const tarball = await packClone(folder);
      const app = await application(join(folder, 'app'), tarball.path, ...BESIDE);
      await cp(join(root, 'examples/frameworks/next'), app, { recursive: true });
      return new NextApplication(app, guard);
    } catch (error) {
      await guard.release();
      throw error;
    }
  }

  /** Runs a command of Next.js. @param env beside the tests' own environment */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): NextProcess {
    const started = new NextProcess(this.folder, args, env);
    this.guard.watch([started.child]);
    return started;
  }

  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8');
  }

  write(file: string, content: string): Promise<void> {
    return writeFile(join(this.folder, file), content);
  }

  remove(): Promise<void> {
    return this.guard.release();
  }
}
