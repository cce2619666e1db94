/*
 * What packages that are built in bring along, and Hopline never runs.
 */

/**
 * By the package that requires it. The log of `hopline work` goes to a stream that it has, from its own process, and redacts
 * nothing; tables have no coloured lines.
 *
 * @type {Record<string, string[]>}
 */
const UNUSED = {
  pino: [
    'sonic-boom',
    'on-exit-leak-free',
    '@pinojs/redact',
    './transport',
    './lib/transport',
    './lib/multistream',
  ],
  'pino-pretty': ['sonic-boom', 'on-exit-leak-free', 'pump', 'pino-abstract-transport'],
  'cli-table3': ['@colors/colors/safe'],
};

const STAND_IN = '\0left-out:';

/** Puts a function that refuses to be called in the place of each. */
export const leftOut = {
  name: 'left-out',
  /** @param {string} id @param {string | undefined} importer */
  resolveId(id, importer = '') {
    const from = /.*[\\/]node_modules[\\/]([^@\\/][^\\/]*)/.exec(importer)?.[1] ?? '';
    return UNUSED[from]?.includes(id) ? STAND_IN + id : null;
  },
  /** @param {string} id */
  load: (id) =>
    id.startsWith(STAND_IN)
      ? `module.exports = function () { throw new Error('hopline was built without ${id.slice(STAND_IN.length)}'); };`
      : null,
};
