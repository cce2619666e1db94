import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { type Entry, entriesOf, type Failure, failureOf, type Row, type Runtime, runtimesOf } from './row.js';
import { type Ended, shell } from './shell.js';
import type { Workshop } from './workshop.js';

/** What came of a row on one runtime. */
export interface Outcome {
  readonly result: 'ok' | 'fails as known' | 'SURPRISE';
  /** Of a surprise: what was run, and what it has written. */
  readonly detail?: string;
}

export interface Place {
  readonly workshop: Workshop;
  readonly amqpUrl: string;
  /** The quick start's queue has one name: on the broker one runs after the other. */
  readonly quickStartTurn: Turn;
}

export type Turn = <T>(run: () => Promise<T>) => Promise<T>;

/** Of a step, which may compile: far above what a loaded machine takes. */
const STEP_WITHIN_MS = 180_000;

/** What programs print. A test runner prints more around it. */
const PRINTED = {
  main: 'cancelled A7\nwelcome, ada@example.org\nwelcome, billed A7\n',
  'quick-start': 'welcome, ada@example.org\n',
};

/** Builds the row's application and runs what is in it, on each runtime, in memory and on the broker. */
export async function tryRow(row: Row, place: Place): Promise<ReadonlyMap<Runtime, Outcome>> {
  const app = await place.workshop.application(row);
  const outcomes = new Map<Runtime, Outcome>();
  for (const runtime of runtimesOf(row)) {
    await rm(join(app, 'out'), { recursive: true, force: true });
    outcomes.set(runtime, await outcomeOf(new Trial(row, runtime, app, place)));
  }
  await rm(app, { recursive: true });
  return outcomes;
}

/** What is in the way of one, such as a broker that is gone, is told with the others. */
async function outcomeOf(trial: Trial): Promise<Outcome> {
  try {
    return await trial.outcome();
  } catch (error) {
    return { result: 'SURPRISE', detail: (error as Error).stack ?? String(error) };
  }
}

class Trial {
  private readonly env: NodeJS.ProcessEnv;
  private readonly failure: Failure | undefined;

  constructor(
    private readonly row: Row,
    runtime: Runtime,
    private readonly app: string,
    private readonly place: Place,
  ) {
    const sources = entriesOf(row).map((entry) => `src/${entry}.ts`);
    this.env = { ...place.workshop.env(row, runtime), ENTRIES: sources.join(' ') };
    this.failure = failureOf(row, runtime);
  }

  async outcome(): Promise<Outcome> {
    const { build } = this.row;
    if (build !== undefined) {
      const built = await this.shell(build);
      if (this.failure?.step === 'build') return this.known(build, built);
      if (built.code !== 0) return surprise(build, built, 'expected it to build');
    }
    for (const program of entriesOf(this.row)) {
      const inMemory = await this.runOf(program, {});
      if (inMemory) return inMemory;
      const onBroker = await this.onBroker(program);
      if (onBroker) return onBroker;
    }
    return { result: 'ok' };
  }

  private async onBroker(program: Entry): Promise<Outcome | undefined> {
    const { amqpUrl, quickStartTurn, workshop } = this.place;
    const SERVICE = workshop.nextService();
    const run = async () => {
      try {
        return await this.runOf(program, { AMQP_URL: amqpUrl, SERVICE });
      } finally {
        await removeFromBroker(amqpUrl, program === 'quick-start' ? QUICK_START_LEAVES : leavesOf(SERVICE));
      }
    };
    return program === 'quick-start' ? quickStartTurn(run) : run();
  }

  /** Nothing if it did what it should. */
  private async runOf(program: Entry, env: NodeJS.ProcessEnv): Promise<Outcome | undefined> {
    const line = this.row.run.replaceAll('$PROGRAM', program);
    const ended = await this.shell(line, env);
    if (this.failure) return this.known(line, ended);
    if (ended.code !== 0) return surprise(line, ended, 'expected it to end with 0');
    const where = env.AMQP_URL ? 'on the broker' : 'in memory';
    return this.saysAll(program, ended)
      ? undefined
      : surprise(line, ended, `printed something else ${where}`);
  }

  private saysAll(program: Entry, { stdout, output }: Ended): boolean {
    if (program === 'program.test') return /^\s*Tests:? +2 passed\b/m.test(output);
    return stdout === PRINTED[program];
  }

  private known(line: string, ended: Ended): Outcome {
    const { says } = this.failure as Failure;
    if (ended.code === 0) return surprise(line, ended, `works, and was known to say: ${says}`);
    if (!ended.output.includes(says)) return surprise(line, ended, `expected it to say: ${says}`);
    return { result: 'fails as known' };
  }

  private shell(line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return shell(line, { cwd: this.app, env: { ...this.env, ...env }, withinMs: STEP_WITHIN_MS });
  }
}

const QUICK_START_LEAVES = { queues: ['mailer.welcome-email'] };

function leavesOf(service: string) {
  return { queues: ['welcome', 'billing', 'cancelled'].map((name) => `${service}.${name}`), prefix: service };
}

function surprise(line: string, { code, output }: Ended, what: string): Outcome {
  return { result: 'SURPRISE', detail: `${what}\n$ ${line}\n${beginningOf(output)}\nended with ${code}` };
}

/** Enough to know what it is. */
function beginningOf(output: string): string {
  const lines = output.trimEnd().split('\n');
  const rest = lines.length - SHOWN_LINES;
  return rest > 0 ? [...lines.slice(0, SHOWN_LINES), `… and ${rest} lines`].join('\n') : lines.join('\n');
}

const SHOWN_LINES = 30;
