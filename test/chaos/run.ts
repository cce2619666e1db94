import { setTimeout as pause } from 'node:timers/promises';
import { type Channel, connect } from 'amqplib';
import { deferred } from '../../src/util/deferred.js';
import { eventually } from '../support/eventually.js';
import { balance, type ChaosAccount } from './account.js';
import { FAULTS } from './faults.js';
import { Journal, readJournals } from './journal.js';
import { brokerSchedule, clientSchedule, type FaultName, type Step } from './schedule.js';
import { PREFIX, QUEUES } from './traffic.js';
import { World, type WorldOptions } from './world.js';

export interface ChaosOptions extends WorldOptions {
  readonly minutes: number;
  /** Told what happens, a line each. */
  tell(line: string): void;
}

export interface ChaosResult {
  readonly account: ChaosAccount;
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** What went wrong beside the account: processes that broke or hung, faults that could not be staged. */
  readonly troubles: readonly string[];
  /** From the last fault's end until everything was where it had to be, in milliseconds. */
  readonly quietMs: number;
  /** Of the broker. */
  readonly version: string;
  /** With the journals and logs of all processes. */
  readonly folder: string;
}

/** How long after the last fault everything has to be where it belongs. */
const QUIET_LIMIT_MS = 240_000;

/** How many are under way while they are read. */
const DEAD_LETTERS_AT_ONCE = 500;

/** Traffic under faults for so long, then peace until every message has ended, then the account. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const world = await World.start(options);
  try {
    const season = new Season(world, options);
    await season.faults();
    const quietMs = await season.quiet();
    return { ...season.result(), quietMs, version: await versionOf(world), folder: world.folder };
  } finally {
    await world.stop();
  }
}

class Season {
  private readonly counts: Partial<Record<FaultName, number>> = {};
  private readonly troubles: string[] = [];
  private readonly startedAt = performance.now();
  private account: ChaosAccount | undefined;
  private readonly deadLetters: Journal;

  constructor(
    private readonly world: World,
    private readonly options: ChaosOptions,
  ) {
    this.deadLetters = new Journal(world.folder, 'dead-letters');
  }

  /** Both schedules at once, until the time is over and the last faults are healed. */
  async faults(): Promise<void> {
    const { seed } = this.options;
    await Promise.all([this.follow(brokerSchedule(seed)), this.follow(clientSchedule(seed))]);
  }

  private async follow(schedule: Generator<Step, never>): Promise<void> {
    const endsAt = this.startedAt + this.options.minutes * 60_000;
    for (const step of schedule) {
      if (performance.now() + step.pauseMs > endsAt) return;
      await pause(step.pauseMs);
      await this.stage(step);
    }
  }

  private async stage(step: Step): Promise<void> {
    const at = this.clock();
    try {
      const what = await FAULTS[step.fault](this.world, step);
      this.counts[step.fault] = (this.counts[step.fault] ?? 0) + 1;
      this.options.tell(`${at}–${this.clock()} ${step.fault}: ${what}`);
    } catch (error) {
      this.trouble(`${at} ${step.fault} could not be staged: ${(error as Error).message}`);
    }
  }

  /** Lets the traffic end in order. Resolves with how long it took until nothing was missing. */
  async quiet(): Promise<number> {
    const { world } = this;
    const began = performance.now();
    this.options.tell(`${this.clock()} quiet`);
    await Promise.all(world.publishers.map((publisher) => publisher.end()));
    const settled = () => this.nothingIsUnderWay();
    await eventually(settled, { timeout: QUIET_LIMIT_MS, interval: 2_000 }).catch((error) =>
      this.trouble(`after ${QUIET_LIMIT_MS / 1_000} s of peace: ${(error as Error).message}`),
    );
    const quietMs = performance.now() - began;
    await Promise.all([...world.workers, ...world.supervisors].map((worker) => worker.end()));
    this.account = balance(await readJournals(world.folder));
    return quietMs;
  }

  result(): Pick<ChaosResult, 'account' | 'faults' | 'troubles'> {
    const troubles = [...this.troubles, ...this.world.children.flatMap(({ troubles }) => troubles)];
    return { account: this.account as ChaosAccount, faults: this.counts, troubles };
  }

  private trouble(what: string): void {
    this.troubles.push(what);
    this.options.tell(`TROUBLE: ${what}`);
  }

  /** @throws Error that says what still is */
  private async nothingIsUnderWay(): Promise<void> {
    await this.readDeadLetters();
    const waiting = await waitingMessages(this.world);
    if (waiting.length > 0) throw new Error(`messages wait in ${waiting.join(', ')}`);
    const { lost, wrong } = balance(await readJournals(this.world.folder));
    if (lost > 0) throw new Error(`${lost} are missing, such as ${wrong.slice(0, 3).join(', ')}`);
  }

  /** Takes the dead letters out, so that what lies in any queue afterwards is still under way. */
  private async readDeadLetters(): Promise<void> {
    const connection = await connect(this.world.node(0).url);
    connection.on('error', () => {});
    try {
      const channel = await connection.createChannel();
      await channel.prefetch(DEAD_LETTERS_AT_ONCE);
      for (const queue of QUEUES) await this.takeAll(channel, queue);
      await channel.close();
    } finally {
      await connection.close();
    }
  }

  private async takeAll(channel: Channel, queue: string): Promise<void> {
    const dead = `${queue}.dead`;
    let { messageCount: left } = await channel.checkQueue(dead);
    if (left === 0) return;
    const all = deferred();
    const { consumerTag } = await channel.consume(dead, (message) => {
      if (!message) return; // cancelled: what is missing is looked for again
      const { messageId, headers = {} } = message.properties;
      const reason = String(headers['hopline-reason'] ?? headers['x-first-death-reason']);
      this.deadLetters.write({ what: 'dead-lettered', id: String(messageId), queue, reason });
      channel.ack(message);
      left -= 1;
      if (left === 0) all.resolve();
    });
    await all.promise;
    await channel.cancel(consumerTag);
  }

  private clock(): string {
    const seconds = Math.round((performance.now() - this.startedAt) / 1_000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}

/** Names and counts of the queues that hold anything, ready or not. */
async function waitingMessages(world: World): Promise<string[]> {
  const rows = await world.node(0).queues('messages');
  // What is paused, though it be nothing, is kept in a message.
  return rows
    .filter(({ name, messages }) => messages !== 0 && name !== `${PREFIX}.paused`)
    .map(({ name, messages }) => `${name} (${messages})`);
}

async function versionOf(world: World): Promise<string> {
  return (await world.node(0).ctl('version')).trim();
}
