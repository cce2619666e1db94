import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startReal } from '../lib/brokers.js';
import { startReport } from '../lib/start-report.js';
import { spread } from '../lib/statistics.js';
import { packAndInstall } from './install.js';
import { FirstMessages, importMs, processMs } from './measure.js';

/** @typedef {import('./install.js').Installed} Installed */

const ROUNDS = 15;

/**
 * `npm run bench -- start [--rounds 15] [--url amqp://…] [--against ../another-checkout]`: what a service pays for Hopline
 * before anything has happened. Each build is packed and installed into an empty service; what takes time is measured in
 * rounds, one of each after the other, so that whatever else the machine does meets all of them alike.
 *
 * @param {string[]} args
 * @returns {Promise<number>} the exit code: 1 if a budget is broken
 */
export async function benchStart(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      url: { type: 'string' },
      against: { type: 'string', multiple: true, default: [] },
    },
  });
  const parent = mkdtempSync(join(tmpdir(), 'hopline-bench-start-'));
  try {
    const build = packAndInstall('hopline', resolve(import.meta.dirname, '../..'), parent);
    const others = values.against.map((folder) => packAndInstall(basename(resolve(folder)), folder, parent));
    const broker = await startReal(values.url);
    try {
      const { figures, references } = await measured([build, ...others], broker.url, Number(values.rounds));
      const [own, ...their] = figures;
      const { table, broken } = startReport(own, their, references);
      process.stdout.write(
        `Node.js ${process.versions.node}; ${broker.about}; ${values.rounds} rounds.\n\n${table}\n`,
      );
      for (const each of broken) process.stderr.write(`over its budget: ${each}\n`);
      return broken.length > 0 ? 1 : 0;
    } finally {
      await broker.stop();
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** @param {readonly Installed[]} builds @param {string} url @param {number} rounds */
async function measured(builds, url, rounds) {
  const [build] = builds;
  const messages = await FirstMessages.open(url, `bench-${process.pid}`, build);
  /** @type {Map<string, number[]>} */
  const taken = new Map();
  const take = async (/** @type {string} */ what, /** @type {Promise<number>} */ ms) =>
    void taken.set(what, [...(taken.get(what) ?? []), await ms]);
  try {
    // The first round fills the caches of the file system, and is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      if (round === 1) taken.clear();
      await take('node', processMs(['-e', '0']));
      await take('amqplib', importMs('amqplib', build.folder));
      for (const each of round % 2 === 0 ? builds : builds.toReversed()) {
        await take(`import ${each.folder}`, importMs('hopline', each.folder));
        await take(`help ${each.folder}`, processMs([each.main, '--help']));
        await take(`work ${each.folder}`, messages.ms(each));
      }
    }
  } finally {
    await messages.close();
  }
  const of = (/** @type {string} */ what) => spread(taken.get(what) ?? []);
  return {
    figures: builds.map(({ name, folder, bytes, packages }) => ({
      name,
      bytes,
      packages,
      importMs: of(`import ${folder}`),
      helpMs: of(`help ${folder}`),
      workMs: of(`work ${folder}`),
    })),
    references: { nodeMs: of('node'), importMs: of('amqplib') },
  };
}
