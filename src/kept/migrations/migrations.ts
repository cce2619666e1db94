import type { Generations } from '../../topology/generations.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import { KeptDocument } from '../kept-document.js';
import { generationsIn, type MigrationsDocument, migrationsIn, NO_MIGRATIONS } from './document.js';

/** Most bytes of the document: 500,000 messages of an overlap. RabbitMQ 4 takes messages of 16 MiB at most. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The document of the migrations, and what it means for the queues of a session. */
export class Migrations {
  private readonly kept: KeptDocument<MigrationsDocument>;
  private current = NO_MIGRATIONS;

  /** @param generations of the same session */
  constructor(
    session: Pick<Session, 'publish' | 'hold' | 'listen' | 'declare' | 'inspect'>,
    names: Names,
    clock: Clock,
    private readonly generations?: Generations,
  ) {
    this.kept = new KeptDocument({
      ...{ session, clock, queue: names.migrations, mostBytes: MOST_BYTES },
      ...{ empty: NO_MIGRATIONS, decode: migrationsIn },
    });
  }

  /** The document as it was last read. */
  get known(): MigrationsDocument {
    return this.current;
  }

  /** A document that was not there is looked for again by the next read. */
  expect(): void {
    this.kept.expect();
  }

  /**
   * Reads the document, and has the session's queues stand for what it says.
   *
   * @param version of a document that was written, if it is known
   * @throws ConnectError if the broker doesn't answer by the deadline; TopologyError if it refuses; KeptDocumentError
   */
  async read(deadline?: Deadline, version = 0): Promise<MigrationsDocument> {
    if (version > this.current.version) this.expect();
    const read = await this.kept.read(deadline);
    // Two reads may end in the wrong order.
    if (read.version > this.current.version) {
      this.current = read;
      this.generations?.replace(generationsIn(read));
    }
    return this.current;
  }

  /** @throws as {@link KeptDocument.change} */
  async change(
    change: (queues: MigrationsDocument['queues']) => MigrationsDocument['queues'],
  ): Promise<MigrationsDocument> {
    this.current = await this.kept.change(({ version, queues }) => ({
      version: version + 1,
      queues: change(queues),
    }));
    return this.current;
  }
}
