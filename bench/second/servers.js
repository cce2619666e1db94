import pg from 'pg';
import { startReal, startRedis } from '../lib/brokers.js';

/** @typedef {'rabbitmq' | 'redis' | 'postgres'} Server @typedef {import('../lib/brokers.js').Running} Running */

/** @type {Record<Server, () => Promise<Running | undefined>>} */
const START = { rabbitmq: () => startReal(), redis: () => startRedis(), postgres: startPostgres };

/** A PostgreSQL of this run's own with the settings that it comes with. @returns {Promise<Running>} */
async function startPostgres() {
  const { defaultPostgres } = await import(
    new URL('../../dist/test/support/postgres.js', import.meta.url).href
  );
  const { url, pid, stop } = await defaultPostgres();
  return { url, pid, about: `PostgreSQL ${await versionOf(url)}, as it comes`, stop };
}

/** @param {string} url */
async function versionOf(url) {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  return rows[0].server_version.split(' ')[0];
}

/** @param {ReadonlySet<Server>} names */
export async function startServers(names) {
  /** @type {[Server, Running][]} */
  const started = [];
  const stop = async () => {
    for (const [, server] of started) await server.stop();
  };
  try {
    for (const name of names) {
      const server = await START[name]();
      if (!server) throw new Error(`${name} is not installed`);
      started.push([name, server]);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    about: [`Node.js ${process.versions.node}`, ...started.map(([, { about }]) => about)],
    setup: { servers: Object.fromEntries(started.map(([name, { url, pid }]) => [name, { url, pid }])) },
    stop,
  };
}
