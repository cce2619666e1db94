import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import { rolldown } from 'rolldown';

/*
 * What browsers get of the dashboard: one script and one style sheet, which are built into the package as text, so that neither a
 * bundler of the user's nor a folder decides whether they are found.
 */

const ENTRY = 'src/dashboard/client/main.tsx';
const STYLES = 'src/dashboard/ui/style';

/** Module that holds them, by its path in sources and in the compiler's output. */
export const CLIENT_MODULE = 'src/dashboard/server/assets/client-files.js';

/** @typedef {{ name: string; type: string; gzip: string }} ClientFile */

/**
 * @param {string} root
 * @returns {Promise<{ text: string; files: string[] }>} the module, and the files that were built into it, absolute
 */
export async function clientModule(root) {
  const script = await scriptOf(root);
  const style = await styleOf(root);
  const built = [
    hashed('js', 'text/javascript; charset=utf-8', script.text),
    hashed('css', 'text/css; charset=utf-8', style.text),
  ];
  const text = `export const CLIENT_FILES = ${JSON.stringify(built)};\n`;
  return { text, files: [...script.files, ...style.files] };
}

/**
 * Puts the module where the compiler's output looks for it.
 *
 * @param {{ dist: string; text: string }} given
 */
export function writeClientModule({ dist, text }) {
  writeFileSync(join(dist, CLIENT_MODULE), text);
}

/** @param {string} root */
async function scriptOf(root) {
  const build = await rolldown({
    cwd: root,
    input: ENTRY,
    platform: 'browser',
    tsconfig: false,
    transform: { target: 'es2022', jsx: { runtime: 'automatic', importSource: 'preact' } },
    experimental: { attachDebugInfo: 'none' },
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: true,
    comments: { legal: false },
    codeSplitting: false,
  });
  await build.close();
  const [chunk] = output;
  return { text: chunk.code, files: Object.keys(chunk.modules) };
}

/**
 * All style sheets, in the order of their names.
 *
 * @param {string} root
 */
async function styleOf(root) {
  const folder = join(root, STYLES);
  const sheets = readdirSync(folder)
    .filter((file) => file.endsWith('.css'))
    .sort();
  const { outputFiles, metafile } = await esbuild({
    absWorkingDir: root,
    stdin: {
      contents: sheets.map((file) => `@import './${file}';`).join('\n'),
      loader: 'css',
      resolveDir: folder,
    },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: '.',
    legalComments: 'none',
  });
  const files = Object.keys(metafile.inputs).filter((file) => file !== '<stdin>');
  return { text: outputFiles[0]?.text ?? '', files: files.map((file) => join(root, file)) };
}

/**
 * @param {string} extension
 * @param {string} type
 * @param {string} text
 * @returns {ClientFile}
 */
function hashed(extension, type, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const gzip = gzipSync(text, { level: 9 }).toString('base64');
  return { name: `client-${hash}.${extension}`, type, gzip };
}
