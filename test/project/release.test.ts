import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import { type ReleaseFacts, releaseProblems } from '../../scripts/release-problems.js';
import { read, root, run } from './repository.js';

const READY: ReleaseFacts = {
  tag: 'v1.2.3',
  manifest: {
    version: '1.2.3',
    repository: { url: 'git+https://github.com/example/hopline.git' },
    homepage: 'https://example.com/hopline',
    bugs: { url: 'https://github.com/example/hopline/issues' },
    author: 'Ada',
  },
  changelog: '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n\n### Fixed\n\n- A wrong line.\n',
  repository: 'example/hopline',
};

const problemsOf = (facts: Partial<ReleaseFacts>) => releaseProblems({ ...READY, ...facts });
const without = (...fields: string[]) => ({
  ...READY.manifest,
  ...Object.fromEntries(fields.map((field) => [field, undefined])),
});

describe('a release', () => {
  it('goes on if tag, changelog and package.json agree, in each form that npm takes', () => {
    assert.deepEqual(problemsOf({}), []);
    assert.deepEqual(problemsOf({ repository: undefined }), []);
    for (const repository of [
      'github:example/hopline',
      'example/hopline',
      'git@github.com:Example/hopline.git',
      { url: 'https://github.com/example/hopline' },
    ])
      assert.deepEqual(problemsOf({ manifest: { ...READY.manifest, repository } }), []);
  });

  it('is refused while a field is empty that its owner has to fill in, and all of them are named at once', () => {
    const problems = problemsOf({ manifest: without('repository', 'homepage', 'bugs', 'author') });
    assert.deepEqual(
      problems.map((problem) => /^'(\w+)' in package\.json is empty: fill it in/.exec(problem)?.[1]),
      ['repository', 'homepage', 'bugs', 'author'],
    );
    const blank = { ...READY.manifest, bugs: { url: ' ' }, homepage: '' };
    assert.equal(problemsOf({ manifest: blank }).length, 2);
  });

  it('is refused for a repository other than the one that signs it', () => {
    for (const url of ['https://github.com/other/hopline', 'https://example.com/example/hopline.git'])
      assert.match(
        problemsOf({ manifest: { ...READY.manifest, repository: { url } } }).join(),
        /^'repository' in package\.json is '.+', and this is github\.com\/example\/hopline: name that$/,
      );
  });

  it('is refused under a tag that is not the version, and of a package that is private', () => {
    assert.match(problemsOf({ tag: 'v1.2.4' }).join(), /the tag is 'v1\.2\.4'.*expected the tag 'v1\.2\.3'/);
    assert.match(problemsOf({ tag: '1.2.3' }).join(), /expected the tag/);
    assert.match(
      problemsOf({ manifest: { ...READY.manifest, private: true } }).join(),
      /'private': true.*remove it/,
    );
  });

  it('is refused without a dated section of the changelog that says something', () => {
    const changelog = (section: string) => problemsOf({ changelog: `# Changelog\n\n${section}` }).join();
    assert.match(changelog('## [Unreleased]\n\n- a\n'), /no section '## \[1\.2\.3\] - <date>'/);
    assert.match(changelog('## [1.2.30] - 2026-01-31\n\n- a\n'), /no section/);
    assert.match(changelog('## [1.2.3]\n\n- a\n'), /has no date/);
    assert.match(changelog('## [1.2.3] - 2026-01-31\n\n## [1.2.2] - 2026-01-01\n\n- a\n'), /is empty/);
  });

  it('is checked by a command, which says all that is missing and fails', async () => {
    const check = run('node', [join(root, 'dist/scripts/check-release.js'), 'v0.0.0-none'], { cwd: root });
    await assert.rejects(check, ({ code, stderr }: { code: number; stderr: string }) => {
      assert.equal(code, 1);
      assert.match(stderr, /^not released: the tag is 'v0\.0\.0-none'/m);
      return true;
    });
  });
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

describe('the workflows', () => {
  const paths = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);

  it('use actions by the hash of a commit, with the version beside it', () => {
    const uses = paths.flatMap((path) => read(path).match(/\buses:.*$/gm) ?? []);
    assert.ok(uses.length > 5);
    assert.deepEqual(
      uses.filter((line) => !/^uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)),
      [],
    );
    const versions = new Map<string, Set<string>>();
    for (const line of uses) {
      const [, action = '', version = ''] = /^uses: ([^@]+)@(.+)$/.exec(line) ?? [];
      versions.set(action, (versions.get(action) ?? new Set()).add(version));
    }
    for (const [action, its] of versions) assert.equal(its.size, 1, `${action} in two versions`);
  });

  it('may read, and nothing else: but the one job that publishes, which runs nothing of this repository', () => {
    for (const path of paths) {
      const { permissions, jobs } = parse(read(path)) as Workflow;
      assert.deepEqual(permissions, { contents: 'read' }, path);
      for (const [name, job] of Object.entries(jobs)) {
        if (job.permissions === undefined) continue;
        assert.deepEqual([name, job.permissions], ['publish', { 'id-token': 'write' }]);
        const foreign = job.steps.filter(({ uses, run: script = '' }) =>
          uses ? uses.startsWith('actions/checkout@') : /npm (ci|install|run|test)\b|\.ci\//.test(script),
        );
        assert.deepEqual(foreign, []);
      }
    }
  });

  it('check a release before they test it, and publish the very file that was tested, with provenance', () => {
    const { jobs } = parse(read('.github/workflows/release.yml')) as Workflow;
    const scripts = (job: string) =>
      (jobs[job]?.steps ?? []).map(({ run: script = '' }) => script).join('\n');
    assert.match(
      scripts('pack'),
      /check-release\.js "\$GITHUB_REF_NAME".*\.ci\/run.*npm pack .*npm run test:package -- --tarball/s,
    );
    assert.match(scripts('publish'), /npm publish --provenance .*--ignore-scripts "\.\/packed\/\$TARBALL"/);
  });

  it('publish a prerelease under a tag of its own, as npm asks for, and all else as what is installed', async () => {
    const { jobs } = parse(read('.github/workflows/release.yml')) as Workflow;
    const script = jobs.publish?.steps.find(({ run: each = '' }) => each.includes('npm publish'))?.run ?? '';
    for (const [ref, tag] of [
      ['v1.2.3', 'latest'],
      ['v1.2.3-rc.1', 'next'],
    ]) {
      // What would be run, said instead of done.
      const shell = `npm() { echo "npm $*"; }; ${script}`;
      const { stdout } = await run('sh', ['-c', shell], {
        env: { ...process.env, GITHUB_REF_NAME: ref, NPM_TOKEN: '', TARBALL: 'hopline.tgz' },
      });
      assert.match(stdout, new RegExp(`^npm publish .*--tag ${tag} .*\\./packed/hopline\\.tgz$`, 'm'));
    }
  });

  it('test on each Node.js that is supported', () => {
    const ci = parse(read('.github/workflows/ci.yml'));
    assert.deepEqual(ci.jobs.test.strategy.matrix.node, [20, 22, 24]);
    assert.match(JSON.parse(read('package.json')).engines.node, /^>=20\./);
  });
});

describe('dependabot', () => {
  it('looks after each folder that has a package-lock.json, and after the workflows', async () => {
    const { updates } = parse(read('.github/dependabot.yml')) as {
      updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[];
    };
    const watched = (ecosystem: string) =>
      updates
        .filter((update) => update['package-ecosystem'] === ecosystem)
        .flatMap(({ directory, directories = [] }) => (directory ? [directory] : directories));
    const { stdout } = await run('git', ['ls-files', '--', 'package-lock.json', '**/package-lock.json'], {
      cwd: root,
    });
    const folders = stdout
      .trim()
      .split('\n')
      .map((file) => posix.join('/', posix.dirname(file)));
    assert.ok(folders.length > 3);
    const patterns = watched('npm');
    assert.deepEqual(
      folders.filter(
        (folder) => !patterns.includes(folder) && !patterns.includes(`${posix.dirname(folder)}/*`),
      ),
      [],
    );
    assert.deepEqual(watched('github-actions'), ['/']);
  });
});
