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

/** A group takes what its files import as well. */
export const groups = [
  ...COMMAND_PACKAGES.map(ofCommand),
  { name: 'rate-limiter', test: /[\\/]node_modules[\\/]rate-limiter-flexible[\\/]/, priority: 3 },
  // Beside `common`: neither the decorators nor most commands read any.
  { name: 'json-shape', test: JSON_SHAPE, priority: 3 },
  // What the command and the decorators need of the core: the rest of it is not loaded with them.
  { name: 'common', test: /[\\/]src[\\/](util[\\/]|errors[\\/.])/, priority: 2 },
  { name: 'message', test: /[\\/]src[\\/]message[\\/]/, priority: 2 },
  { name: 'core', test: /[\\/]src[\\/]index\.ts$/, priority: 1 },
  // What the command has in common with `hopline/operate`.
  { name: 'operating', test: /[\\/]src[\\/]operate\.ts$/, priority: 0 },
];

/** Chunks of other people's code: the command's packages, what limits rates in Redis, and valibot with six lines of ours. */
const COMPACT = [...COMMAND_PACKAGES, 'rate-limiter', 'json-shape'];

/**
 * Minifies code of packages, which halves it. Names of classes stay, since errors show them; those of functions and of local
 * variables don't.
 */
export const compactPackages = {
  name: 'compact-packages',
  /** @param {string} code @param {{ name: string }} chunk */
  renderChunk(code, { name }) {
    if (!COMPACT.includes(name)) return null;
    return minifySync(`${name}.js`, code, {
      compress: { target: 'es2023' },
      mangle: { keepNames: { class: true, function: false } },
      codegen: { removeWhitespace: true },
      sourcemap: true,
    });
  },
};
