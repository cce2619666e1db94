import { ConnectError, TopologyError } from '../../errors.js';
import { Generations } from '../../topology/generations.js';
import type { Session, SessionOptions, Transport } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { Migrations } from './migrations.js';

const CLOSE_MS = 5_000;

/** A session that knows which of the application's queues were migrated, and where it knows that from. */
export interface KnowingSession<Opened extends Session = Session> {
  readonly session: Opened;
  readonly migrations: Migrations;
  /** What stands in the broker for the queues of the application. */
  readonly generations: Generations;
}

/**
 * Opens a session in which migrated queues go by their own names. In memory none is migrated.
 *
 * @throws as `Transport.open`; TopologyError if there is a document of migrations that may not be read
 */
export async function openKnowing<Opened extends Session>(
  transport: Omit<Transport, 'open'> & { open(...args: Parameters<Transport['open']>): Promise<Opened> },
  options: Omit<SessionOptions, 'generations'>,
  deadline: Deadline,
): Promise<KnowingSession<Opened>> {
  const { names, log, service } = options;
  const generations = new Generations(names);
  generations.onDiffers = (queue) =>
    log.warn(
      { service, queue },
      'the queue was migrated to other arguments than the options of this process say: it is used as it is. Deploy the options that it was migrated to',
    );
  const session = await transport.open({ ...options, generations }, deadline);
  const migrations = new Migrations(session, names, transport.clock, generations);
  if (transport.kind === 'memory') return { session, migrations, generations };
  try {
    // Who only publishes names no queue.
    if (options.consumes !== false && (await mayBeThere(session, options))) await migrations.read(deadline);
    generations.read = async () => {
      migrations.expect();
      await migrations.read().catch((error) => {
        // Who may not read the document, or can't, goes on with what is known.
        if (error instanceof ConnectError) throw error;
      });
    };
    return { session, migrations, generations };
  } catch (error) {
    await session.close(new Deadline(transport.clock, CLOSE_MS)).catch(() => {});
    throw error;
  }
}

/**
 * What stands in the broker for the queues of an application, as it is now, whatever the session itself knows.
 *
 * @throws ConnectError; TopologyError if there is a document of migrations that may not be read; KeptDocumentError
 */
export async function generationsNow(
  session: Session,
  options: Pick<SessionOptions, 'names' | 'log' | 'service'>,
  clock: Clock,
): Promise<Generations> {
  const { names } = options;
  const generations = new Generations(names);
  if (await mayBeThere(session, options)) await new Migrations(session, names, clock, generations).read();
  return generations;
}

/** One question, and no message is read, where nothing was ever migrated. A user with few rights may not even ask, on some versions. */
async function mayBeThere(
  session: Session,
  { names, log, service }: Pick<SessionOptions, 'names' | 'log' | 'service'>,
): Promise<boolean> {
  try {
    return (await session.inspect(names.migrations)) !== undefined;
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    log.warn(
      { service, error },
      `this process may not ask which queues were migrated: give its user the permission to read '${names.migrations}' before you migrate one`,
    );
    return false;
  }
}
