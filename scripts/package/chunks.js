import { minifySync } from 'rolldown/utils';

/*
 * Which chunks there are. What is not named here the bundler puts into one chunk for each set of entries that share it; that
 * alone would make twenty small files of what `import 'hopline'` loads, and opening them take longer than reading them.
 */

/** @param {string} name  of a package that the command alone needs, with what it brings */
const ofCommand = (name) => ({
  name,
  test: new RegExp(`[\\\\/]node_modules[\\\\/]${name}[\\\\/]`),
  priority: 3,
});

const COMMAND_PACKAGES = ['commander', 'cli-table3', 'cli-progress', 'pino-pretty', 'pino'];

/** What reads messages of other processes: valibot, and the shapes of `src/util` that are made of it. */
const JSON_SHAPE = /[\\/](node_modules[\\/]valibot[\\/]|src[\\/]util[\\/]json-shape\.ts$)/;

/** What serves and draws the pages of the dashboard. */
const WEB = /[\\/]node_modules[\\/](hono|@hono|preact|preact-render-to-string)[\\/]/;

/** A group takes what its files import as well. */
export const groups = [
  ...COMMAND_PACKAGES.map(ofCommand),
  { name: 'web', test: WEB, priority: 3 },
  // Beside `common`: neither the decorators nor most commands read any.
  { name: 'json-shape', test: JSON_SHAPE, priority: 3 },
  // What the command and the decorators need of the core: the rest of it is not loaded with them.
  { name: 'common', test: /[\\/]src[\\/](util[\\/]|errors[\\/.])/, priority: 2 },
  { name: 'message', test: /[\\/]src[\\/]message[\\/]/, priority: 2 },
  { name: 'core', test: /[\\/]src[\\/]index\.ts$/, priority: 1 },
  // What the command has in common with `hopline/operate`.
  { name: 'operating', test: /[\\/]src[\\/]operate\.ts$/, priority: 0 },
];

/** Chunks of other people's code: the packages of the command and of the dashboard, and valibot with six lines of ours. */
const PACKAGES = [...COMMAND_PACKAGES, 'web', 'json-shape'];

/**
 * Minifies what nobody debugs: packages, and what the programs alone load, such as the command. What services run stays as it
 * was written. Names of classes stay, since errors show them, and those of our functions.
 *
 * @param {{ programs: string[] }} given  names of entries that no service needs for its work
 */
export const compact = ({ programs }) => ({
  name: 'compact',
  /**
   * @param {string} code
   * @param {import('rolldown').RenderedChunk} chunk
   * @param {unknown} _options
   * @param {{ chunks: Record<string, import('rolldown').RenderedChunk> }} all
   */
  renderChunk(code, { name, fileName }, _options, { chunks }) {
    const isPackages = PACKAGES.includes(name);
    if (!isPackages && ofServices(chunks, programs).has(fileName)) return null;
    return minifySync(`${name}.js`, code, {
      compress: { target: 'es2023', keepNames: { class: true, function: !isPackages } },
      mangle: { keepNames: { class: true, function: !isPackages } },
      codegen: { removeWhitespace: true },
      sourcemap: true,
    });
  },
});

/**
 * Files that an entry point of the package leads to.
 *
 * @param {Record<string, import('rolldown').RenderedChunk>} chunks
 * @param {string[]} programs
 */
function ofServices(chunks, programs) {
  const entries = Object.values(chunks).filter(({ name, isEntry }) => isEntry && !programs.includes(name));
  const found = new Set(entries.map(({ fileName }) => fileName));
  for (const file of found)
    for (const next of [...(chunks[file]?.imports ?? []), ...(chunks[file]?.dynamicImports ?? [])])
      found.add(next);
  return found;
}
