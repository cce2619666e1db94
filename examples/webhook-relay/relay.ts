import { randomBytes } from 'node:crypto';
import { Bus, type Transport } from 'hopline';
import { dashboard } from 'hopline/dashboard';
import type { Books } from './books.js';
import { Cleanup } from './cleanup.js';
import { feed } from './feed.js';
import { listen } from './http-server.js';
import type { Input, Rejected } from './input.js';
import { intakeApp } from './intake.js';
import type { Options } from './options.js';
import { outputDirectory } from './output.js';
import { ServiceProcess } from './processes.js';
import { services } from './services/index.js';
import { busOf, PREFIX, type Service, type Settings } from './services/service.js';
import { subscribersApp } from './subscribers.js';
import { transportFor } from './transport.js';

export interface RelayOptions extends Options {
  readonly input: Input;
  readonly books: Books;
  readonly onRejected: (rejected: Rejected) => void;
  /** Ends the run early. A service that crashes aborts it. */
  readonly ending: AbortController;
}

/** Longest that a bus may take to start. */
const START_MS = 15_000;

/**
 * Starts everything, feeds it, waits until each message is accounted for, and stops everything.
 *
 * @throws the reason of `ending`, or what could not be started
 */
export async function relay(options: RelayOptions): Promise<void> {
  const { books, ending, input, onRejected } = options;
  const cleanup = new Cleanup();
  const secret = randomBytes(32).toString('hex');
  const transport = transportFor(options.amqpUrl);
  const orEnded = endedBy(ending.signal);
  try {
    const output = await outputDirectory(options.out);
    cleanup.add(() => output.remove());
    const subscribers = await listen(subscribersApp(secret));
    cleanup.add(() => subscribers.close());

    const startDeadline = Math.min(options.deadlineMs, START_MS);
    const settings = { directory: output.path, subscribersUrl: subscribers.url, secret, startDeadline };
    const running = services.map((service) => runnable(service, settings, transport, options));
    // A service that could not be started is stopped as well: it may have got half way.
    cleanup.add(...running.map((service) => () => service.stop()));
    await orEnded(Promise.all(running.map((service) => service.start())));

    const publisher = new Bus({ service: 'relay.intake', prefix: PREFIX, transport, startDeadline });
    publisher.on('message.published', ({ messageId }) => books.published(messageId ?? '', Date.now()));
    cleanup.add(() => publisher.stop());
    await orEnded(publisher.start());
    const intake = await listen(intakeApp(publisher, secret));
    cleanup.add(() => intake.close());

    if (options.dashboardPort !== undefined) {
      const pages = dashboard({ transport, prefix: PREFIX, name: 'Webhook relay', allowActions: true });
      cleanup.add(() => pages.close());
      process.stderr.write(`dashboard at ${await pages.listen({ port: options.dashboardPort })}\n`);
    }

    const { account } = books;
    await orEnded(feed(input, { intakeUrl: intake.url, secret, account, signal: ending.signal, onRejected }));
    await orEnded(books.settled());
  } finally {
    await cleanup.run((error) => process.stderr.write(`while stopping: ${String(error)}\n`));
  }
}

/** A bus in this process, or a process that runs one. */
function runnable(
  service: Service,
  settings: Settings,
  transport: Transport,
  { processes, books, ending }: RelayOptions,
): { start(): Promise<void>; stop(): Promise<void> } {
  const tell = books.record;
  if (!processes) return busOf(service, settings, transport, tell);
  return new ServiceProcess(service.name, { settings, tell, onCrash: (error) => ending.abort(error) });
}

/** Waits for work, or throws the signal's reason if that comes first. */
function endedBy(signal: AbortSignal): <T>(work: Promise<T>) => Promise<T> {
  const ended = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  ended.catch(() => {});
  return (work) => Promise.race([work, ended]);
}
