import { chosenVersion } from '../test/support/broker/find-program.js';
import { provideBroker } from '../test/support/broker/index.js';
import { providePostgres } from '../test/support/postgres.js';
import { provideRedis } from '../test/support/redis.js';

/** What every part of the suite may use, but not hurt: their tests own their names on it. */
export interface Servers {
  /** Where they are, as tests look for them. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what was started. */
  stop(): Promise<void>;
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** One of each for the whole run, as on CI: else each part would start its own. Those that the environment names are taken. */
export async function startServers(): Promise<Servers> {
  const providers: Record<string, () => Promise<Server>> = {
    // Who asks for a version gets it in each part: AMQP_URL says nothing of versions.
    ...(chosenVersion() === undefined && { AMQP_URL: provideBroker }),
    DATABASE_URL: providePostgres,
    REDIS_URL: provideRedis,
  };
  const missing = Object.entries(providers).filter(([name]) => !process.env[name]);
  const started = await Promise.allSettled(
    missing.map(async ([name, provide]) => ({ name, server: await provide() })),
  );
  const servers = started.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
  const stop = async () => void (await Promise.all(servers.map(({ server }) => server.stop())));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { env: Object.fromEntries(servers.map(({ name, server }) => [name, server.url])), stop };
}
