import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIGRATIONS } from '../../src/stores/postgres/migrations.js';
import { manifest, root } from '../project/repository.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { everything, found } from '../support/secret.js';
import { hoplineHere } from './command.js';

const SECRET = 's3cret/with+signs';

/** An address at which nobody listens. */
const NOWHERE = `postgres://ada:${encodeURIComponent(SECRET)}@127.0.0.1:1/shop`;

describe('hopline stores migrate', function () {
  this.timeout(60_000);
  let url: string;
  let schema: TestSchema;
  let directory: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedPostgres()).url;
    directory = await mkdtemp(join(tmpdir(), 'hopline-cli-'));
  });
  after(() => rm(directory, { recursive: true }));
  beforeEach(() => {
    schema = new TestSchema(url);
  });
  afterEach(() => schema.drop());

  const migrate = (args: readonly string[], databaseUrl = url) =>
    hoplineHere(['stores', 'migrate', ...args], { env: { DATABASE_URL: databaseUrl } });
  const lines = (word: string) =>
    MIGRATIONS.map(({ step, name }) => `${word} step ${step}: ${name}\n`).join('');

  it('says which steps it applies, then that there is nothing to do', async () => {
    const first = await migrate(['--schema', schema.name]);
    assert.deepEqual([first.code, first.stdout], [0, lines('applied')], first.stderr);
    assert.match(first.stderr, new RegExp(`^schema '${schema.name}' of database '\\w+' at \\S+:\\d+\\n$`));
    const second = await migrate(['--schema', schema.name]);
    assert.deepEqual([second.code, second.stdout], [0, 'nothing to do\n']);
  });

  it('says with --dry-run what it would do, and does nothing', async () => {
    const dry = await migrate(['--schema', schema.name, '--dry-run']);
    assert.deepEqual([dry.code, dry.stdout], [0, lines('would apply')], dry.stderr);
    assert.equal(await schema.exists(), false);
  });

  it('takes the address from a file, whatever DATABASE_URL says', async () => {
    const file = join(directory, 'url');
    await writeFile(file, `${url}\n`);
    const args = ['--schema', schema.name, '--database-url-file', file];
    assert.equal((await migrate(args, NOWHERE)).code, 0);
    assert.equal(await schema.exists(), true);
  });

  it('ends with 1 when a newer version has migrated the schema', async () => {
    await migrate(['--schema', schema.name]);
    await schema.rows(`INSERT INTO "${schema.name}".migrations (step, name) VALUES (999, 'tomorrow')`);
    const { code, stdout, stderr } = await migrate(['--schema', schema.name]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^error: a newer version of Hopline has migrated .*\. Migrate with that version\. .*\n$/,
    );
  });

  const wrong: [title: string, args: string[], databaseUrl: string, stderr: RegExp][] = [
    ['no address', [], '', /^error: no address of a database\. Set DATABASE_URL=.*--database-url-file\n$/],
    [
      'another kind of address',
      [],
      `mysql://ada:${SECRET}@host/db`,
      /^error: the address of the database is not postgres/,
    ],
    ['no address at all', [], SECRET, /^error: the address of the database is not postgres/],
    [
      'a missing file',
      ['--database-url-file', '/nowhere'],
      NOWHERE,
      /^error: can't read --database-url-file/,
    ],
    [
      "a schema's name that is no plain one",
      ['--schema', 'a"b'],
      NOWHERE,
      /^error: .*expected schema to be a plain name/,
    ],
    [
      'an unknown option',
      ['--shcema', 'x'],
      NOWHERE,
      /^error: unknown option '--shcema'\n\(Did you mean --schema\?\)/,
    ],
  ];
  for (const [title, args, databaseUrl, stderr] of wrong) {
    it(`called wrongly, says so and ends with 2: ${title}`, async () => {
      const ended = await migrate(args, databaseUrl);
      assert.match(ended.stderr, stderr);
      assert.deepEqual([ended.code, ended.stdout], [2, '']);
      assert.deepEqual(found(SECRET, everything(ended)), []);
    });
  }

  it('says where nobody answers, without the credentials, and ends with 1', async () => {
    const { code, stdout, stderr } = await migrate([], NOWHERE);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^error: can't connect to database 'shop' at 127\.0\.0\.1:1: .*ECONNREFUSED.*\. Look whether/,
    );
    assert.doesNotMatch(stderr, /ada/);
    const verbose = await migrate(['--verbose'], NOWHERE);
    assert.match(verbose.stderr, /^ +at /m);
    assert.deepEqual(found(SECRET, stderr + verbose.stderr), []);
  });

  it('says that a user or password is refused, without showing them, and ends with 1', async () => {
    const refused = new URL(url);
    refused.username = 'hopline_test_nobody';
    refused.password = SECRET;
    const { code, stderr } = await migrate(['--verbose'], refused.href);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: can't connect to database '\w+' at \S+: it refuses the user or the password\. Look/,
    );
    assert.deepEqual(found(SECRET, stderr), []);
  });

  it('says that a database does not exist, and ends with 1', async () => {
    const other = new URL(url);
    other.pathname = '/hopline_test_nowhere';
    const { code, stderr } = await migrate([], other.href);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: can't connect to database 'hopline_test_nowhere' at \S+: there is no such database/,
    );
  });

  it('says how to install pg where it is not, and every other command goes on without it', async () => {
    const main = await installedWithoutPg(directory);
    const run = (...args: string[]) =>
      new Promise<{ code: number; stderr: string }>((resolve) => {
        const child = execFile(
          process.execPath,
          [main, ...args],
          { env: { DATABASE_URL: NOWHERE } },
          (_, __, stderr) => resolve({ code: child.exitCode ?? -1, stderr }),
        );
      });
    const { code, stderr } = await run('stores', 'migrate');
    assert.equal(code, 1);
    assert.match(stderr, /^error: the package pg, .*, can't be loaded\. Run `npm install pg`\.\n$/);
    assert.equal((await run('stores', 'migrate', '--help')).code, 0);
  });
});

/** The command in a folder where everything but pg is installed. */
async function installedWithoutPg(directory: string): Promise<string> {
  const modules = join(directory, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== 'pg') await symlink(join(root, 'node_modules', name), join(modules, name));
  await cp(join(root, 'package.json'), join(directory, 'package.json'));
  await cp(join(root, 'lib'), join(directory, 'lib'), { recursive: true });
  return join(directory, manifest.bin.hopline);
}
