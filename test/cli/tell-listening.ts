import { createRequire } from 'node:module';

/*
 * Loaded before the command, by `--import`: says when it begins to listen for SIGTERM, and how many packages it has loaded
 * by then.
 */

if (process.argv[2] === 'work') {
  const { cache } = createRequire(import.meta.url);
  process.on('newListener', (event) => {
    if (event !== 'SIGTERM' || process.listenerCount('SIGTERM') > 0) return;
    const loaded = Object.keys(cache).length;
    process.stderr.write(`listens with ${loaded} modules loaded\n`);
    if (process.env.SIGTERM_AT_ONCE) setImmediate(() => process.kill(process.pid, 'SIGTERM'));
  });
}
