import assert from 'node:assert/strict';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { exists, manifest, read, root, run, typeScriptFiles } from './repository.js';

const maxLines = 400;

describe('the package', () => {
  let packed: string[];
  before(async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const [tarball] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    packed = tarball.files.map(({ path }) => path);
  });

  it('gives publint nothing to say', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, pack: 'npm', strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  it('holds what every entry point names', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : [target.types, target.default],
    );
    assert.deepEqual(
      targets.filter((target) => !packed.includes(target.replace(/^\.\//, ''))),
      [],
    );
  });

  it('holds its licence and those of what is built in, its readme, changelog and guides', () => {
    for (const path of [
      'LICENSE',
      'lib/THIRD_PARTY_NOTICES.md',
      'README.md',
      'CHANGELOG.md',
      'docs/stores.md',
    ])
      assert.ok(packed.includes(path), `${path} is not packed`);
  });

  it('holds no tests, no examples and nothing else that only this repository needs', () => {
    const published =
      /^lib\/([\w-]+\.js|chunks\/[\w-]+\.js|types\/.+\.d\.ts|THIRD_PARTY_NOTICES\.md)$|^docs\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    assert.deepEqual(
      packed.filter((path) => !published.test(path)),
      [],
    );
  });
});

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
