import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { codeBlocks } from '../project/markdown.js';
import { root, run } from '../project/repository.js';
import { Guard } from '../support/broker/guard.js';
import { entriesOf, type Row, type Runtime } from './row.js';
import { endShells } from './shell.js';

const folderOf = { newest: 'test/stacks/tools/newest', older: 'test/stacks/tools/older' } as const;

/** What a user installs beside Hopline, in versions that stay. */
const BESIDE = ['reflect-metadata@0.2.2', 'tsyringe@4.10.0', '@types/node@20.19.43'];

const NPM = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];

/** A temporary folder with the packed Hopline, the tools, and an application for each row. Nothing of it stays. */
export class Workshop {
  private applications = 0;
  private services = 0;

  private constructor(
    readonly folder: string,
    private readonly guard: Guard,
    readonly tarball: string,
  ) {}

  /** @param tarball a packed Hopline; without one, what is committed here is cloned and packed, which takes a minute */
  static async open(tarball?: string): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), 'hopline-stacks-'));
    const guard = new Guard(folder);
    const workshop = new Workshop(folder, guard, tarball ? resolve(tarball) : await packClone(folder));
    try {
      await workshop.furnish();
    } catch (error) {
      await workshop.close();
      throw error;
    }
    return workshop;
  }

  async close(): Promise<void> {
    endShells();
    await this.guard.release();
  }

  /** An application with the row's files and sources, where Hopline is installed. */
  async application(row: Row): Promise<string> {
    const { tools = 'newest', files = {}, isCommonJs = false } = row;
    this.applications += 1;
    const app = join(this.folder, tools, `app-${this.applications}`);
    await mkdir(join(app, 'src'), { recursive: true });
    await cp(join(this.folder, 'installed/node_modules'), join(app, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const sources = await this.sourcesOf(row);
    for (const [name, content] of Object.entries({ ...manifestOf(isCommonJs), ...sources, ...files })) {
      await mkdir(dirname(join(app, name)), { recursive: true });
      await writeFile(join(app, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return app;
  }

  /** What a shell needs to run the row's lines with this runtime. */
  env(row: Row, runtime: Runtime): NodeJS.ProcessEnv {
    const {
      AMQP_URL: _url,
      NODE_ENV: _mode,
      NODE_OPTIONS: _options,
      HOPLINE_LOG: _log,
      ...env
    } = process.env;
    const tools = join(root, folderOf[row.tools ?? 'newest'], 'node_modules');
    return {
      ...env,
      TOOLS: tools,
      PACKAGES: [this.tarball, ...BESIDE].join(' '),
      PATH: `${runtimeFolder(runtime)}:${env.PATH ?? ''}`,
      NO_COLOR: '1',
      CI: 'true',
    };
  }

  /** Names the queues of one run: on a broker that was lent to the tests others may be at work. */
  nextService(): string {
    this.services += 1;
    return `${basename(this.folder)}-${this.services}`;
  }

  private async furnish(): Promise<void> {
    for (const [name, path] of Object.entries(folderOf)) {
      await run(process.execPath, [join(root, 'bench/install.js'), join(root, path), '--this-platform'], {
        cwd: root,
      });
      await mkdir(join(this.folder, name));
      // Where applications find what is no package of theirs, as if it lay beside Hopline.
      await symlink(join(root, path, 'node_modules'), join(this.folder, name, 'node_modules'));
    }
    const installed = join(this.folder, 'installed');
    await mkdir(installed);
    await writeFile(join(installed, 'package.json'), JSON.stringify(manifestOf(false)['package.json']));
    await run('npm', ['install', ...NPM, this.tarball, ...BESIDE], { cwd: installed });
  }

  private async sourcesOf(row: Row): Promise<Record<string, string>> {
    const { program } = row;
    const text = (file: string) => readFile(join(root, file), 'utf8');
    if (program === 'plain-javascript') return { 'src/main.js': await text(`${PROGRAMS}/${program}.js`) };
    if (program === 'without-decorators') return { 'src/main.ts': await text(`${PROGRAMS}/${program}.ts`) };
    const sources: Record<string, string> = { 'src/program.ts': await text(`${PROGRAMS}/${program}.ts`) };
    for (const name of ['order', 'run', ...entriesOf(row)])
      sources[`src/${name}.ts`] =
        name === 'quick-start' ? await this.quickStart() : await text(`${PROGRAMS}/${name}.ts`);
    return sources;
  }

  /** The first code of the README, as it is published. */
  private async quickStart(): Promise<string> {
    const readme = await readFile(join(this.folder, 'installed/node_modules/hopline/README.md'), 'utf8');
    const block = codeBlocks(readme).find(({ language }) => language === 'ts');
    if (!block) throw new Error('the packed README.md has no code');
    return block.code;
  }
}

const PROGRAMS = 'test/stacks/programs';

function manifestOf(isCommonJs: boolean) {
  const type = isCommonJs ? {} : { type: 'module' };
  return { 'package.json': { name: 'app', version: '1.0.0', private: true, ...type } };
}

/** Of what is committed, as anybody else gets it: what is built or installed here has no part in it. */
async function packClone(folder: string): Promise<string> {
  const clone = join(folder, 'clone');
  await run('git', ['clone', '--quiet', root, clone]);
  await run('npm', ['ci', ...NPM], { cwd: clone });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: clone });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await rm(clone, { recursive: true });
  return join(folder, filename);
}

/** The folder that has the runtime's program. */
function runtimeFolder(runtime: Runtime): string {
  const { platform, arch } = process;
  const name =
    runtime === 'Bun'
      ? `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`
      : `${runtime.toLowerCase().replace(' ', '-')}-${platform}-${arch}`;
  const folder = join(root, folderOf.newest, 'node_modules', name, 'bin');
  if (!existsSync(folder)) throw new Error(`${runtime} is not among the tools for ${platform} ${arch}`);
  return folder;
}
