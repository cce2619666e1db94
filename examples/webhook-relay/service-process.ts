import 'reflect-metadata';
import type { Bus } from 'hopline';
import { describeError } from './describe-error.js';
import type { FromService, ToService } from './processes.js';
import { services } from './services/index.js';
import { busOf, type Settings } from './services/service.js';
import { transportFor } from './transport.js';

/** The program of one service: `service-process.js <name>`, started by processes.ts. */

const service = services.find(({ name }) => name === process.argv[2]);
if (!service || !process.send) throw new Error('this program is started by main.js --processes');

let bus: Bus | undefined;

function say(message: FromService): void {
  if (process.connected) process.send?.(message);
}

async function start(settings: Settings): Promise<void> {
  if (!service) return;
  bus = busOf(service, settings, transportFor(process.env.AMQP_URL), (outcome) =>
    say({ kind: 'outcome', outcome }),
  );
  await bus.start();
  say({ kind: 'started' });
}

/** Afterwards nothing keeps the process alive, and it ends by itself. */
async function stop(): Promise<void> {
  await bus?.stop();
  if (process.connected) process.disconnect();
}

function fail(error: unknown): void {
  process.exitCode = 1;
  say({ kind: 'failed', message: describeError(error) });
  if (process.connected) process.disconnect();
}

process.on('message', (message: ToService) => {
  const work = message.kind === 'start' ? start(message.settings) : stop();
  work.catch(fail);
});
// Whoever started this is gone, or asks through the system.
process.on('disconnect', () => void stop().catch(fail));
process.on('SIGTERM', () => void stop().catch(fail));
// Ctrl-C reaches every process of the terminal; the one that started this decides.
process.on('SIGINT', () => {});
