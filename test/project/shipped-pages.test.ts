import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { anchors, codeSpans, relativeLinks } from './markdown.js';
import { exists, read, root, run } from './repository.js';

/** Their `src/` is the reader's. */
const GUIDES = ['README.md', 'docs/getting-started.md', 'docs/first-hour.md'];

const IN_REPOSITORY = /^(?:src|decorators|examples|test|findings|bench|scripts)\/[\w./-]+$/;

function isReaders(path: string, page: string): boolean {
  return GUIDES.includes(page) && path.startsWith('src/');
}

describe('pages that ship in the package', () => {
  let packed: ReadonlySet<string>;
  let pages: readonly string[];
  before(async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const [tarball] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    packed = new Set(tarball.files.map(({ path }) => path));
    pages = [...packed].filter((path) => path.endsWith('.md'));
    assert.ok(pages.length > 20, 'docs/ is not packed');
  });

  /** Links and paths of all pages for which `isWrong` holds, as `page: link`. */
  function wrong(
    find: (markdown: string) => readonly string[],
    isWrong: (target: string, page: string) => boolean,
  ): readonly string[] {
    return pages.flatMap((page) =>
      find(read(page))
        .filter((target) => isWrong(target, page))
        .map((target) => `${page}: ${target}`),
    );
  }

  it('link only to files of the package, and to headings that these have', () => {
    const broken = wrong(relativeLinks, (link, page) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : posix.join(posix.dirname(page), path);
      // Plots and pictures stay in the repository: the tables and the text beside them say the same.
      if (/\.(svg|png)$/.test(target)) return !exists(target);
      if (!packed.has(target)) return true;
      return anchor !== undefined && !anchors(read(target)).includes(anchor);
    });
    assert.deepEqual(broken, []);
  });

  it('name what stays in the repository in code, by a path that exists', () => {
    const gone = wrong(
      codeSpans,
      (span, page) => !isReaders(span, page) && IN_REPOSITORY.test(span) && !exists(span),
    );
    assert.deepEqual(gone, []);
  });
});
