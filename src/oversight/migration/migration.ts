import type { Asking } from '../../control/asking.js';
import { TopologyError } from '../../errors.js';
import { moveRemains } from '../../failures/acting/move-remains.js';
import { takenLock } from '../../kept/kept-lock.js';
import {
  type MigratedQueue,
  type MigrationsDocument,
  overlapOf,
  takenOf,
  type UnderWay,
} from '../../kept/migrations/document.js';
import { Migrations } from '../../kept/migrations/migrations.js';
import type { Arguments } from '../../message/exchange-option.js';
import type { QueueType } from '../../topology/bus-topology.js';
import { generationName, generationOf } from '../../topology/generations.js';
import { landingQueueOf, type Names, runLockOf } from '../../topology/names.js';
import { mayBeFull } from '../../topology/queue-arguments.js';
import type { Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';
import { countText } from '../../util/text/count-text.js';
import { different } from '../management/different.js';
import type { Management } from '../management/management.js';
import { brokerQueue, declareDirect, declareQueue } from './broker-queue.js';
import { readOverlap } from './overlap.js';
import { Processes } from './processes.js';
import { Routes } from './routes.js';

export interface MigrationOptions {
  /** One that knows nothing of migrations: here each queue goes by its name in the broker. */
  readonly session: Session;
  readonly clock: Clock;
  readonly names: Names;
  readonly management: Management;
  readonly asking: Asking;
  /** Queue, or lane of one, by the name that the application has for it. */
  readonly queue: string;
  /** Arguments that it is to have. */
  readonly wanted: Arguments;
  /** Arguments of its landing queue; undefined if it needs none. */
  readonly landing: Arguments | undefined;
  /** True if nothing is done but said. */
  readonly dryRun: boolean;
  tell(line: string): void;
}

/** Time in which the broker delivers what it had routed before a binding was undone. */
const ROUTED_MS = 1_000;

const LOOK_MS = 250;
const TELL_EVERY_MS = 10_000;

/** Time after which the management API's counts are newer than what happened before. */
const COUNTED_MS = 6_000;

/**
 * Gives a queue other arguments: a new queue in the broker takes its place, under the same name for all applications. Nothing is lost
 * if the command dies: each step is written down before it is begun ({@link MigrationsDocument}), and is done again by the next call.
 *
 * | step    | if it dies here |
 * | ------- | --------------- |
 * | declare | the new queue may be there, empty, and nothing leads to it |
 * | hold    | processes take nothing of the queue until the command is run again; what comes waits |
 * | bind    | the same; what the new queue has lies in the old one, too: it is unbound and emptied, and bound again |
 * | unbind  | the same; what comes lies in one or in both. The rest is unbound |
 * | compare | the same; the new queue is read again |
 * | drain   | processes go on with the old queue by themselves, and what comes waits in the new one |
 * | leave   | as in hold |
 * | remove  | processes have the new queue. The old one is left, and empty |
 */
export class Migration {
  /** True if it was found half done. */
  hasBegun = false;
  private readonly migrations: Migrations;
  private readonly processes: Processes;

  constructor(private readonly options: MigrationOptions) {
    const { session, names, clock, asking, queue } = options;
    this.migrations = new Migrations(session, names, clock);
    this.processes = new Processes(asking, clock, queue);
  }

  /**
   * @returns false if the queue has these arguments already
   * @throws TopologyError if it can't be done, and why; ManagementError, ControlError, ConnectError: call it again
   */
  async run(): Promise<boolean> {
    const { session, clock, names, dryRun } = this.options;
    if (dryRun) return await this.runAlone();
    const lock = await takenLock(session, runLockOf(names.migrations), clock);
    if (!lock)
      throw this.refused('another command migrates a queue of this application', 'Wait for its end.');
    return await this.runAlone().finally(() => lock.close());
  }

  /** Two at once would undo each other's bindings, and purge what only the new queue has. */
  private async runAlone(): Promise<boolean> {
    const { management, queue, tell, dryRun } = this.options;
    const begun = this.underWay(await this.migrations.read());
    this.hasBegun = begun !== undefined;
    if (begun)
      tell(`queue '${queue}': going on at the step ${begun.step}, from '${begun.from}' to '${begun.to}'`);
    const wanted = begun ?? (await this.wanted());
    if (!wanted || dryRun) return wanted !== undefined;
    const taken = begun?.step === 'remove' ? wanted.to : wanted.from;
    const serving = await this.processes.find(management, taken, this.migrations.known.version);
    tell(`processes that serve it: ${serving}`);
    if (!begun) await this.write(undefined, { ...takenOf(wanted, false), underWay: wanted });
    for (let now = this.underWay(this.migrations.known); now; now = this.underWay(this.migrations.known))
      await this.take(now);
    return true;
  }

  private underWay({ queues }: MigrationsDocument): UnderWay | undefined {
    return queues[this.options.queue]?.underWay;
  }

  /** What there is to do; undefined if nothing is. */
  private async wanted(): Promise<UnderWay | undefined> {
    const { management, queue, wanted, tell } = this.options;
    const { known } = this.migrations;
    const other = Object.entries(known.queues).find(([, each]) => each.underWay !== undefined);
    if (other && !this.options.dryRun)
      throw this.refused(
        `queue '${other[0]}' is being migrated`,
        `End that first: hopline topology migrate ${other[0]}`,
      );
    const from = known.queues[queue]?.name ?? queue;
    const there = await brokerQueue(management, from);
    if (!there)
      throw this.refused(
        `there is no queue '${from}' in the broker`,
        'Start the application once, which declares it with these arguments.',
      );
    const differing = different(there.arguments, wanted);
    if (differing.length === 0) return undefined;
    const to = generationName(queue, generationOf(queue, from) + 1);
    for (const { what, is = 'none', wanted: its = 'none' } of differing) tell(`  ${what}: ${is} → ${its}`);
    if (wanted['x-expires'] !== undefined)
      throw this.refused('a queue with x-expires may go while nobody takes it', 'Leave x-expires out.');
    if (mayBeFull(wanted))
      tell(
        `  '${to}' is limited, and nobody takes it until '${from}' is empty: what comes beyond its limit meanwhile is dropped or refused, as its x-overflow says`,
      );
    const [fromType, toType] = [there.type, wanted['x-queue-type']] as [QueueType, QueueType];
    const fromLands = fromType === 'classic' || mayBeFull(there.arguments);
    const toLands = toType === 'classic' || mayBeFull(wanted);
    return { step: 'declare', from, to, fromType, toType, fromLands, toLands, arguments: wanted };
  }

  /** Takes one step, and writes down the next. */
  private async take(now: UnderWay): Promise<void> {
    const { session, clock, tell, queue, names } = this.options;
    const { from, to } = now;
    const routes = new Routes(this.options.management, names, queue, now);
    switch (now.step) {
      case 'declare':
        tell(`declare: queue '${to}'`);
        await this.declare(now);
        return this.go(now, 'hold');
      case 'hold':
        tell(`hold: processes take nothing of '${from}' for a moment`);
        await this.untilNoneTakes(from);
        return this.go(now, 'bind');
      case 'bind':
        tell(`bind: '${to}' to all that '${from}' is bound to`);
        if (await routes.areCopies()) await routes.undo().then(() => session.purge(to));
        tell(`  ${countText(await routes.bind(), 'binding')}`);
        return this.go(now, 'unbind');
      case 'unbind':
        tell(`unbind: '${from}'`);
        tell(`  ${countText(await routes.unbind(), 'binding')}`);
        return this.go(now, 'compare');
      case 'compare': {
        tell(`compare: what came meanwhile lies in both`);
        await this.untilNoneTakes(from);
        // Who started meanwhile may have bound the old queue again.
        do await pause(clock, ROUTED_MS);
        while ((await routes.unbind()) > 0);
        const { overlap, messages, unnamed } = await readOverlap(session, clock, to);
        tell(
          `  ${countText(messages, 'message')} of '${to}' may lie in '${from}', too${unnamed > 0 ? `; ${unnamed} of them have no id, and may be handled twice` : ''}`,
        );
        return this.go({ ...now, overlap }, 'drain');
      }
      case 'drain':
        tell(`drain: processes handle what is left in '${from}'`);
        await this.untilDrained(now, routes.leavesLanding);
        return this.go(now, 'leave');
      case 'leave':
        tell(`leave: '${from}' is empty`);
        return (await this.isLeft(from)) ? await this.go(now, 'remove') : await this.go(now, 'drain');
      case 'remove':
        tell(`remove: processes take '${to}'; '${from}' goes`);
        await this.remove(now, routes.leavesLanding);
        return this.write(now.step, takenOf(now, true));
    }
  }

  private async declare({ to, arguments: its }: UnderWay): Promise<void> {
    const { management, queue, landing, names } = this.options;
    await declareQueue(management, to, its);
    if (!landing) return;
    await declareDirect(management, names.land);
    await declareQueue(management, landingQueueOf(queue), landing);
  }

  private async untilNoneTakes(from: string): Promise<void> {
    const { session, tell } = this.options;
    const consumers = async () => (await session.inspect(from))?.consumers ?? 0;
    await this.processes.untilNoneTakes(this.migrations.known.version, consumers, tell);
  }

  private async untilDrained({ from }: UnderWay, leavesLanding: boolean): Promise<void> {
    const { session, management, clock, queue, tell } = this.options;
    const landing = landingQueueOf(queue);
    for (let told = clock.monotonic(); ; await pause(clock, LOOK_MS)) {
      const ready = (await session.inspect(from))?.ready ?? 0;
      const answers = await this.processes.obey(this.migrations.known.version);
      const inHand = answers.reduce((sum, each) => sum + each.inHand, 0);
      if (ready === 0 && inHand === 0) {
        const landed = leavesLanding ? await brokerQueue(management, landing) : undefined;
        if (!landed || landed.messages === 0) return;
      }
      if (clock.monotonic() - told < TELL_EVERY_MS) continue;
      told = clock.monotonic();
      tell(
        `  ${countText(ready, 'message')} left, ${inHand} in hand, ${answers.length === 0 ? 'and nobody takes them: start a worker' : `${answers.length} take them`}`,
      );
    }
  }

  /** False if something has come back: who held it has died. */
  private async isLeft(from: string): Promise<boolean> {
    const { session, clock } = this.options;
    await this.untilNoneTakes(from);
    for (let seen = 0; seen < 2; await pause(clock, LOOK_MS)) {
      const state = await session.inspect(from);
      if (state && state.ready > 0) return false;
      const answers = await this.processes.obey(this.migrations.known.version);
      const isIdle = (state?.consumers ?? 0) === 0 && answers.every(({ inHand }) => inHand === 0);
      seen = isIdle ? seen + 1 : 0;
    }
    return true;
  }

  private async remove({ from, overlap = '' }: UnderWay, leavesLanding: boolean): Promise<void> {
    const { session, clock, management, names, queue, tell } = this.options;
    const known = overlapOf(overlap);
    for (const name of [...(leavesLanding ? [landingQueueOf(queue)] : []), from]) {
      for (const since = clock.monotonic(); ; await pause(clock, LOOK_MS)) {
        const state = await session.inspect(name);
        if (!state) break;
        if (name === from && state.ready > 0) {
          const moved = await moveRemains(session, clock, { names, from, queue, overlap: known });
          if (moved > 0) tell(`  ${countText(moved, 'message')} that came late moved`);
          continue;
        }
        if (clock.monotonic() - since < COUNTED_MS || state.consumers > 0 || state.ready > 0) continue;
        if ((await brokerQueue(management, name))?.messages !== 0) continue;
        if (((await session.inspect(name))?.ready ?? 0) > 0) continue;
        await management.deleteQueue(name);
      }
    }
  }

  private async go(now: UnderWay, step: UnderWay['step']): Promise<void> {
    await this.write(now.step, { ...takenOf(now, step === 'remove'), underWay: { ...now, step } });
  }

  /**
   * Writes what there is for the queue from now on, and has the processes obey it.
   * @param before step that must be written there: the lock goes with a lost connection, and another command may have gone on
   */
  private async write(before: UnderWay['step'] | undefined, its: MigratedQueue): Promise<void> {
    const { queue } = this.options;
    const { version } = await this.migrations.change((queues) => {
      const found = queues[queue]?.underWay?.step;
      if (found !== before) throw elsewhere(queue, before, found);
      return { ...queues, [queue]: its };
    });
    await this.processes.obey(version);
  }

  private refused(what: string, help: string): TopologyError {
    return new TopologyError(`queue '${this.options.queue}'`, `nothing was done: ${what}`, help);
  }
}

const elsewhere = (queue: string, expected = 'none', found = 'none') =>
  new TopologyError(
    `queue '${queue}'`,
    `its migration is at the step ${found}, where this command had left it at ${expected}: another command has gone on with it`,
    'See that it has ended, and run the command again.',
  );
