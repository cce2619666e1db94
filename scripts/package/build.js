import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.js';
import { clientModule, writeClientModule } from './client.js';
import { copyDeclarations } from './declarations.js';
import { writeNotices } from './notices.js';

/*
 * `node scripts/package/build.js` makes `lib/`, which is what is published and what `import 'hopline'` finds in this
 * repository: the entry points and the command as bundles that share their chunks, and the compiler's declarations.
 * The compiler has run before. With `--publish` no source maps are written.
 */

const root = resolve(import.meta.dirname, '../..');
const lib = join(root, 'lib');

/** @param {string} file */
const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** What the command starts as processes of their own. */
const PROGRAMS = { cli: 'src/cli/main.ts', 'work-process': 'src/cli/work-process.ts' };

/**
 * `decorators: decorators/index.ts`: package.json names the file of each entry point, and `paths` of tsconfig.json its
 * source.
 */
function entryPoints() {
  const { name, exports } = json('package.json');
  const { paths } = json('tsconfig.json').compilerOptions;
  return Object.fromEntries(
    Object.entries(exports)
      .filter(([, target]) => typeof target === 'object')
      .map(([subpath, target]) => [
        target.default.replace(/^\.\/lib\/(.+)\.js$/, '$1'),
        paths[subpath.replace('.', name)][0].replace(/^\.\//, ''),
      ]),
  );
}

const entries = entryPoints();
const client = await clientModule(root);
writeClientModule({ dist: join(root, 'dist'), text: client.text });
rmSync(lib, { recursive: true, force: true });
const bundled = await bundle({
  root,
  lib,
  entries,
  programs: PROGRAMS,
  clientModule: client.text,
  sourceMaps: !process.argv.includes('--publish'),
});
writeNotices({ lib, files: [...bundled, ...client.files] });
copyDeclarations({ root, from: join(root, 'dist'), to: join(lib, 'types'), entries: Object.values(entries) });
