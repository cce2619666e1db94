import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { compact, groups } from './chunks.js';
import { CLIENT_MODULE } from './client.js';
import { leftOut } from './left-out.js';

/**
 * Bundles each entry into `lib/NAME.js`, with what they share in `lib/chunks/`. Dependencies that package.json declares to users
 * stay outside; all other packages are built in.
 *
 * @param {{ root: string; lib: string; entries: Record<string, string>; programs: Record<string, string>; clientModule: string; sourceMaps: boolean }} given
 * @returns {Promise<string[]>} the files that were built in, absolute
 */
export async function bundle({ root, lib, entries, programs, clientModule, sourceMaps }) {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const outside = Object.keys({ ...dependencies, ...peerDependencies });
  const build = await rolldown({
    cwd: root,
    input: { ...entries, ...programs },
    platform: 'node',
    // Not `paths`: no source imports `hopline`.
    tsconfig: false,
    transform: { target: 'node20', jsx: { runtime: 'automatic', importSource: 'preact' } },
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [
      builtClient(join(root, CLIENT_MODULE), clientModule),
      leftOut,
      compact({ programs: [...Object.keys(programs), 'dashboard'] }),
    ],
    // No `//#region` lines with the paths of sources that are not published.
    experimental: { attachDebugInfo: 'none' },
  });
  const { output } = await build.write({
    dir: lib,
    format: 'esm',
    sourcemap: sourceMaps,
    entryFileNames: '[name].js',
    // One folder below: `import.meta.dirname` of src/cli/commands/ then leads to the same files in lib/ as in dist/src/cli/.
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: { groups },
    minify: false,
    minifyInternalExports: false,
    // Doc comments are in the declarations.
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  await build.close();
  return output.flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
}

/**
 * The files for browsers, in the place of the module that only declares them.
 *
 * @param {string} file
 * @param {string} text
 */
const builtClient = (file, text) => ({
  name: 'client',
  /** @param {string} id @param {string | undefined} importer */
  resolveId: (id, importer) => (importer && resolve(dirname(importer), id) === file ? file : null),
  /** @param {string} id */
  load: (id) => (id === file ? text : null),
});
