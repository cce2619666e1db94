import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Channel, connect } from 'amqplib';
import { Bus, rabbitmq } from '../../src/index.js';
import type { DeadLetterSummary, StatusReport } from '../../src/operate.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import type { Job } from './apps/jobs.js';
import { Command, type CommandOptions } from './command.js';

const QUEUES = ['work', 'other', 'limited'];
const APP = resolve(import.meta.dirname, 'apps/jobs.js');

/** An entry of the log that `hopline work` writes. */
export interface Entry {
  readonly level: number;
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly [field: string]: unknown;
}

/** `hopline work` with the application of apps/jobs.ts, and a publisher that gives it something to do. */
export class WorkService {
  readonly name = `work-${randomBytes(4).toString('hex')}`;
  private readonly publisher: Bus;
  private readonly commands: Command[] = [];
  private published = 0;

  constructor(readonly url: string) {
    this.publisher = new Bus({
      service: `${this.name}-test`,
      prefix: this.name,
      transport: rabbitmq({ url }),
    });
  }

  /** Declares the application's queues, and starts to publish. */
  async start(): Promise<void> {
    const ended = await this.work(['--stop-when-empty']).ended;
    if (ended.code !== 0) throw new Error(`the application could not be started: ${ended.stdout}`);
    await this.publisher.start();
  }

  work(args: readonly string[], { env, ...options }: CommandOptions = {}): Command {
    const command = new Command(['work', APP, ...args], {
      url: this.url,
      env: { JOBS: this.name, ...env },
      ...options,
    });
    this.commands.push(command);
    return command;
  }

  /** A command to its workers. */
  operate(args: readonly string[], options: CommandOptions = {}): Command {
    const command = new Command([...args, '--prefix', this.name], { url: this.url, ...options });
    this.commands.push(command);
    return command;
  }

  async status(): Promise<StatusReport> {
    const { stdout, stderr, code } = await this.operate(['status', '--json']).ended;
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as StatusReport;
  }

  /** Numbers the jobs on from the last one; returns their numbers. */
  async send(count: number, job: Omit<Job, 'number'> = {}, key = 'work'): Promise<number[]> {
    const numbers = Array.from({ length: count }, () => ++this.published);
    await Promise.all(numbers.map((number) => this.publisher.send(key, { number, ...job })));
    return numbers;
  }

  /** What lies in the dead letters of a queue. */
  async deadLetters(queue = 'work') {
    const { stdout } = await this.operate(['failed', 'list', '--queue', `${this.name}.${queue}`, '--json'])
      .ended;
    return JSON.parse(stdout) as DeadLetterSummary[];
  }

  /** Messages that nobody was given, or that were given back. */
  async ready(queue = 'work'): Promise<number> {
    return (await this.asBrokerSees(queue)).messageCount;
  }

  /** Drops what waits in a queue. */
  purge(queue = 'work') {
    return this.withChannel((channel) => channel.purgeQueue(`${this.name}.${queue}`));
  }

  asBrokerSees(queue = 'work') {
    return this.withChannel((channel) => channel.checkQueue(`${this.name}.${queue}`));
  }

  /** What a test has left, also a failed one, is no other's concern. */
  async endAll(): Promise<void> {
    const left = this.commands.splice(0);
    for (const { child } of left) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(left.map(({ ended }) => ended));
    for (const queue of QUEUES) {
      // What they held goes back a moment later.
      await eventually(async () => (await this.asBrokerSees(queue)).consumerCount === 0);
      await this.purge(queue);
    }
  }

  private async withChannel<T>(use: (channel: Channel) => PromiseLike<T>): Promise<T> {
    const model = await connect(this.url);
    try {
      return await use(await model.createChannel());
    } finally {
      await model.close();
    }
  }

  async end(): Promise<void> {
    await this.endAll();
    await this.publisher.stop();
    await removeFromBroker(this.url, {
      queues: QUEUES.map((queue) => `${this.name}.${queue}`),
      prefix: this.name,
    });
  }
}

/** For a `describe`: the service of all its tests, whose workers end with each of them. */
export function useWorkService(): () => WorkService {
  let service: WorkService;
  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    service = new WorkService((await sharedBroker()).url);
    await service.start();
  });
  afterEach(() => service.endAll());
  after(() => service.end());
  return () => service;
}

/** A worker consumes: what its supervisor says. */
export const READY = /^worker \d is ready$/;

/** So many jobs may be waited for: a machine that is slow for a while must not be given more than it will have done in time. */
const AT_MOST_UNDONE = 200;

/** Sends short jobs for as long as `act` takes, as fast as the command does them; returns the numbers of all. */
export async function underLoad(
  service: WorkService,
  command: Pick<Command, 'stdout'>,
  act: () => Promise<void>,
): Promise<number[]> {
  const sent: number[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      sent.push(...(await service.send(10, { ms: 10 })));
      await eventually(() => isOver || sent.length - doneIn(command).length < AT_MOST_UNDONE, {
        timeout: 60_000,
      });
    }
  })();
  try {
    await act();
  } finally {
    isOver = true;
    await load;
  }
  return sent;
}

export function entriesOf({ stdout }: Pick<Command, 'stdout'>): Entry[] {
  // The last line may be on its way.
  const lines = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Entry);
}

/** Numbers of the jobs that were done, in their order, as often as they were. */
export function doneIn(command: Pick<Command, 'stdout'>): number[] {
  return entriesOf(command).flatMap(({ msg }) => /^did (\d+)\b/.exec(msg)?.slice(1).map(Number) ?? []);
}

export function logged(command: Pick<Command, 'stdout'>, pattern: RegExp): Entry[] {
  return entriesOf(command).filter(({ msg }) => pattern.test(msg));
}

/** Resolves with the entries once there are so many of them. */
export function untilLogged(
  command: Command,
  pattern: RegExp,
  count = 1,
  timeout = 20_000,
): Promise<Entry[]> {
  return eventually(
    () => {
      const entries = logged(command, pattern);
      if (entries.length < count)
        throw new Error(
          `${entries.length} of ${count} entries like ${pattern} in:\n${command.stdout}${command.stderr}`,
        );
      return entries;
    },
    { timeout },
  );
}
