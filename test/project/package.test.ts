import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { application, packClone, type Tarball } from './packing.js';
import { exists, manifest, read, root, run, typeScriptFiles } from './repository.js';

const maxLines = 400;

/** Of what a service downloads and keeps. */
const MAX_BYTES = 3_400_000;
const MAX_PACKAGES = 20;

const ENTRY_POINTS = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [{ name: join(manifest.name, subpath), ...target }],
);

describe('the package, packed from a clean clone,', function () {
  this.timeout(300_000);
  let folder: string;
  let tarball: Tarball;
  /** An application that has it. */
  let app: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hopline-package-'));
    tarball = await packClone(folder);
    app = await application(join(folder, 'app'), tarball.path, 'reflect-metadata', 'tsyringe');
    for (const name of ['@opentelemetry', '@nestjs', 'rxjs']) await link(name);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('gives publint nothing to say', async () => {
    const { messages, pkg } = await publint({
      pkgDir: join(app, 'node_modules/hopline'),
      pack: false,
      strict: true,
    });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  it('has types for every resolver, and an ES module wherever one is loaded', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(await readFile(tarball.path)));
    assert.ok(analysis.types);
    // A CommonJS module that requires it gets the ES module, as Node.js has it since 20.19.
    const expected = ({ kind }: { kind: string }) => kind === 'CJSResolvesToESM';
    assert.deepEqual(
      analysis.problems.filter((problem) => !expected(problem)),
      [],
    );
    const entries = Object.keys(analysis.entrypoints).filter((entry) => entry !== './package.json');
    assert.equal(entries.length, ENTRY_POINTS.length);
  });

  it('holds what a user reads and runs, and nothing else', () => {
    const files = tarball.files.map(({ path }) => path);
    const wanted = [
      ...['LICENSE', 'README.md', 'CHANGELOG.md', 'docs/stores.md', 'lib/THIRD_PARTY_NOTICES.md'],
      ...[manifest.bin.hopline, 'lib/work-process.js'],
      ...ENTRY_POINTS.flatMap((each) => [each.types, each.default].map((path) => path.replace('./', ''))),
    ];
    assert.deepEqual(
      wanted.filter((path) => !files.includes(path)),
      [],
    );
    const published = [
      /^lib\/(chunks\/)?[\w-]+\.js$/,
      /^lib\/types\/.+\.d\.ts$/,
      /^docs\/[\w-]+\.md$/,
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|lib\/THIRD_PARTY_NOTICES\.md)$/,
    ];
    assert.deepEqual(
      files.filter((path) => !published.some((pattern) => pattern.test(path))),
      [],
    );
  });

  it(`takes at most ${MAX_BYTES / 1_000_000} MB on disk, and ${MAX_PACKAGES} packages with all it needs`, async () => {
    assert.ok(tarball.unpackedSize <= MAX_BYTES, `${tarball.unpackedSize} bytes`);
    const { packages } = JSON.parse(await readFile(join(app, 'node_modules/.package-lock.json'), 'utf8'));
    const names = Object.keys(packages);
    assert.ok(names.includes('node_modules/hopline'));
    assert.ok(names.length <= MAX_PACKAGES, names.join(', '));
  });

  it('links to no map that is not there', async () => {
    for (const { path } of tarball.files.filter((file) => /\.(js|d\.ts)$/.test(file.path)))
      assert.doesNotMatch(
        await readFile(join(app, 'node_modules/hopline', path), 'utf8'),
        /^\/\/# source/m,
        path,
      );
  });

  it('names each class as it is exported: no bundler has renamed one', async () => {
    const { stdout } = await node(`
      import 'reflect-metadata';
      for (const name of ${JSON.stringify(ENTRY_POINTS.map(({ name }) => name))})
        for (const [exported, value] of Object.entries(await import(name).catch(refuse(name))))
          if (/^class\\b/.test(value) && value.name !== exported) console.log(exported, value.name);
      function refuse(name) {
        return (error) => { throw new Error(name, { cause: error }); };
      }`);
    assert.equal(stdout, '');
  });

  it('is one copy for all entry points: their classes and errors are the same', async () => {
    const { stdout } = await node(`
      import * as hopline from 'hopline';
      import * as operate from 'hopline/operate';
      import * as stores from 'hopline/stores';
      import { testKit } from 'hopline/testing';
      import { Handles, handlers } from 'hopline/decorators';
      class Handler { handle() { throw new hopline.UnrecoverableError('never'); } }
      Handles('a.key')(Handler);
      const kit = await testKit({ handlers: handlers([Handler]) });
      await kit.publish('a.key', {});
      await kit.settled();
      const isOurs = (error) => error.prototype instanceof hopline.HoplineError;
      console.log(kit instanceof hopline.Publisher, isOurs(stores.StoreTimeoutError), isOurs(operate.ControlError));
      try { handlers([class {}]); } catch (error) { console.log(error instanceof hopline.HoplineError, error.name); }
      await kit.stop();`);
    assert.equal(stdout, 'true true true\ntrue OptionsError\n');
  });

  it('loads neither client nor container with what does not need it', async () => {
    const loads = async (name: string) => {
      const program = `
        import { createRequire } from 'node:module';
        await import('${name}');
        const { cache } = createRequire(import.meta.url);
        for (const file of Object.keys(cache)) console.log(/node_modules\\/([^/]+)/.exec(file)?.[1]);`;
      const { stdout } = await node(program);
      return [...new Set(stdout.trim().split('\n'))].filter((each) => each !== '');
    };
    for (const name of ['hopline', 'hopline/operate', 'hopline/prometheus', 'hopline/stores'])
      assert.deepEqual(await loads(name), [], name);
    assert.deepEqual(await loads('hopline/decorators'), ['reflect-metadata', 'tsyringe', 'tslib']);
    const ofNest = await loads('hopline/nest');
    assert.deepEqual(
      ['amqplib', 'tsyringe'].filter((name) => ofNest.includes(name)),
      [],
    );
  });

  it('runs the quick start, whose types are right for every resolver', async () => {
    await cp(join(root, 'examples/quick-start.ts'), join(app, 'quick-start.ts'));
    await writeFile(join(app, 'every.ts'), EVERY_ENTRY_POINT);
    const linked = ['@types', 'ioredis', 'pg', 'pg-pool', 'pg-protocol', 'pg-types', 'prom-client'];
    for (const name of linked) await link(name);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const common = ['--target', 'es2022', '--strict', '--types', 'node'];
    const decorated = ['--experimentalDecorators', '--emitDecoratorMetadata'];
    await compiled([tsc, ...common, ...decorated, '--module', 'nodenext', 'quick-start.ts', 'every.ts']);
    const old = [
      '--module',
      'commonjs',
      '--moduleResolution',
      'node10',
      '--ignoreDeprecations',
      '6.0',
      '--skipLibCheck',
    ];
    await compiled([tsc, ...common, ...decorated, ...old, '--outDir', 'commonjs', 'every.ts']);
    const { AMQP_URL: _inMemory, ...env } = process.env;
    const { stdout } = await run(process.execPath, ['quick-start.js'], { cwd: app, env });
    assert.match(stdout, /\S/);
  });

  it('has the command, which starts a worker in a process of its own', async () => {
    const { version } = JSON.parse(read('package.json'));
    const command = join(app, 'node_modules/.bin/hopline');
    const { stdout } = await run(command, ['--version'], { cwd: app });
    assert.equal(stdout, `${version}\n`);
    await writeFile(
      join(app, 'worker.js'),
      `import { Bus, memory } from 'hopline';
       export const bus = new Bus({ service: 'mailer', transport: memory() });
       bus.handle('email.welcome', () => {});`,
    );
    const worker = await run(command, ['work', 'worker.js', '--stop-when-empty'], { cwd: app });
    assert.match(worker.stdout + worker.stderr, /worker 1 is ready.*worker 1 has stopped/s);
  });

  describe('beside a package that has another amqplib', () => {
    it('runs on its own copy', async () => {
      const { amqplib } = manifest.dependencies;
      const both = await application(
        join(folder, 'both'),
        ...[tarball.path, 'reflect-metadata', 'tsyringe'],
        ...['@golevelup/nestjs-rabbitmq@9.0.2', 'amqplib@0.10.9', '--legacy-peer-deps'],
      );
      const seen = await node(
        `import { createRequire } from 'node:module';
         import { Bus, rabbitmq } from 'hopline';
         const silent = { debug() {}, info() {}, warn() {}, error() {} };
         const transport = rabbitmq({ url: 'amqp://127.0.0.1:1' });
         const bus = new Bus({ service: 'a', transport, startDeadline: 50, log: silent });
         await bus.start().catch(() => {});
         const require = createRequire(import.meta.url);
         const folders = Object.keys(require.cache).map((file) => /^.*\\/amqplib\\//.exec(file)?.[0]);
         for (const folder of new Set(folders.filter(Boolean)))
           console.log(require(folder + 'package.json').version);`,
        both,
      );
      assert.equal(seen.stdout, `${amqplib}\n`);
      const hoisted = JSON.parse(await readFile(join(both, 'node_modules/amqplib/package.json'), 'utf8'));
      assert.notEqual(hoisted.version, amqplib, 'the other copy is not where it would be found first');
      assert.ok(existsSync(join(both, 'node_modules/hopline/node_modules/amqplib')));
    });
  });

  /** Gives the application a package of this repository, beside those that count as its own. */
  function link(name: string): Promise<void> {
    return symlink(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }

  function node(program: string, cwd = app) {
    return run(process.execPath, ['--input-type=module', '--eval', program], { cwd });
  }

  async function compiled(args: string[]): Promise<void> {
    const said = await run(process.execPath, args, { cwd: app }).catch(({ stdout }) => ({ stdout }));
    assert.equal(said.stdout, '');
  }
});

const EVERY_ENTRY_POINT = `
import { Bus, memory } from 'hopline';
import { alerts } from 'hopline/alerts';
import { Handles, handlers } from 'hopline/decorators';
import { logEvents } from 'hopline/logs';
import { HoplineModule } from 'hopline/nest';
import { nestTestKit } from 'hopline/nest/testing';
import { type Control, type Failures, openControl, openFailures } from 'hopline/operate';
import { otel, tracedLogger } from 'hopline/otel';
import { postgresStores } from 'hopline/postgres';
import { prometheus } from 'hopline/prometheus';
import { redisStores } from 'hopline/redis';
import { type IdempotencyStore, StoreTimeoutError } from 'hopline/stores';
import { ManualClock, testKit } from 'hopline/testing';

@Handles('a.key')
class Handler {
  handle(): void {}
}
export const bus: Bus = new Bus({
  service: 'a',
  transport: memory(),
  handlers: handlers([Handler]),
  middleware: [otel()],
});
export const all = [alerts, logEvents, HoplineModule, nestTestKit, tracedLogger, postgresStores, prometheus, redisStores, testKit, openControl, openFailures, StoreTimeoutError];
export type Types = [Control, Failures, IdempotencyStore];
export const clock = new ManualClock();
// @ts-expect-error what is wrong is seen
new Bus({ service: 1 });
`;

describe('the repository', () => {
  let files: string[];
  before(async () => {
    // New files count before they are added; ignored ones never do. A file that is deleted may still be in the index.
    const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
    });
    files = stdout.split('\0').filter((file) => file !== '' && exists(file));
    assert.ok(files.includes('package-lock.json'));
  });

  it('installs from whatever registry a machine is set up with: it names none', () => {
    assert.doesNotMatch(read('package-lock.json'), /"resolved"|https?:[^"]*\.tgz/);
    const registry = /registry\.(npmjs|yarnpkg|npmmirror)\.|\/\/npm\.pkg\.|\/artifactory\//;
    assert.deepEqual(
      files.filter((file) => registry.test(read(file))),
      [],
    );
  });

  it('is written with line feeds, and each text ends with one', () => {
    assert.deepEqual(
      files.filter((file) => {
        const text = read(file);
        return !text.includes('\0') && (text.includes('\r') || !text.endsWith('\n'));
      }),
      [],
    );
  });

  it(`has no source file of more than ${maxLines} lines`, () => {
    assert.deepEqual(
      typeScriptFiles('src', 'decorators').filter((file) => read(file).split('\n').length - 1 > maxLines),
      [],
    );
  });
});
