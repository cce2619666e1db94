import type { MigratingAnswer } from '../../control/answer.js';
import type { Asking } from '../../control/asking.js';
import { TopologyError } from '../../errors.js';
import { type Clock, pause } from '../../util/clock.js';
import type { Management } from '../management/management.js';
import { consumersOf } from './broker-queue.js';

const WAIT_MS = 2_000;
const AGAIN_MS = 250;

/** How long the broker's list of consumers may differ from what processes say: it is some seconds old. */
const AGREE_MS = 20_000;

/** The processes that serve a queue, asked over control. */
export class Processes {
  /** Those that are known to serve it. */
  private known = 0;

  constructor(
    private readonly asking: Pick<Asking, 'ask'>,
    private readonly clock: Clock,
    private readonly queue: string,
  ) {}

  /** Has them obey the document of this version. @throws ControlError; TopologyError if one can't */
  async obey(version: number): Promise<readonly MigratingAnswer[]> {
    const { asking, queue, known } = this;
    const answers = await asking.ask(
      { ask: 'migration', queue, document: version },
      { waitMs: WAIT_MS, enough: (all) => known > 0 && all.length >= known },
    );
    const problem = answers.find((each) => each.problem !== undefined);
    if (problem)
      throw new TopologyError(
        `queue '${queue}'`,
        `${problem.service} on ${problem.host}, process ${problem.pid}, can't follow a migration: ${problem.problem}`,
        'Mend that, and run the command again: it goes on where it has stopped.',
      );
    return answers.flatMap(({ migration }) => (migration && migration.version >= version ? [migration] : []));
  }

  /**
   * Finds who serves the queue.
   *
   * @param name of the queue in the broker
   * @throws TopologyError if the broker has consumers of it that don't answer
   */
  async find(management: Management, name: string, version: number): Promise<number> {
    const { clock, queue } = this;
    const until = clock.monotonic() + AGREE_MS;
    for (;;) {
      const [answers, consumers] = await Promise.all([this.obey(version), consumersOf(management, name)]);
      this.known = answers.length;
      if (consumers.length <= answers.length) return answers.length;
      if (clock.monotonic() > until)
        throw new TopologyError(
          `queue '${queue}'`,
          `queue '${name}' has ${consumers.length} consumers, and ${answers.length} processes of this application have answered that can follow a migration; the consumers belong to ${[...new Set(consumers)].join(', ')}`,
          'Each process that consumes the queue must be of a version of Hopline that knows migration, with operatorControl on. Update them, or stop what is not yours, and run the command again.',
        );
      await pause(clock, AGAIN_MS);
    }
  }

  /**
   * Resolves when none takes the queue any more. A quorum queue counts a consumer that was cancelled until what it has taken is settled.
   *
   * @param consumers asks the broker how many it counts
   */
  async untilNoneTakes(
    version: number,
    consumers: () => Promise<number>,
    tell: (line: string) => void,
  ): Promise<void> {
    const { clock } = this;
    for (let turn = 1; ; turn += 1) {
      const answers = await this.obey(version);
      const inHand = answers.reduce((sum, each) => sum + each.inHand, 0);
      const counted = await consumers();
      if (answers.length >= this.known && counted <= inHand) return;
      // Who has gone doesn't answer, and the broker doesn't count it.
      if (counted === 0) this.known = Math.min(this.known, answers.length);
      if (turn % 20 === 0)
        tell(
          `  waiting: ${answers.length} of ${this.known} processes have answered, and the broker counts ${counted} consumers`,
        );
      await pause(clock, AGAIN_MS);
    }
  }
}
