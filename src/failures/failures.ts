import { boundTo, ownerOf } from '../encryption/envelope.js';
import { UnknownKeyError } from '../encryption/errors.js';
import { DeadLetterIdError, OptionsError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { batchOfText } from '../message/batch-header.js';
import type { TransportSession } from '../transport/transport.js';
import { Deadline } from '../util/deadline.js';
import { Emitter } from '../util/emitter.js';
import { type Act, Acting, type ActingOptions, type ActResult } from './acting.js';
import type { DeadLetter, DeadLetterSummary } from './dead-letter.js';
import { type DeadLetterFilter, FILTER_FIELDS, matcherOf } from './filter.js';
import { resolveId } from './letter-id.js';
import {
  checkWith,
  deadLettersOf,
  type FailuresOptions,
  type FailuresSettings,
  failuresSettings,
  filterOf,
  type Progress,
  REPLAY_FIELDS,
  type ReplayOptions,
  type Selection,
} from './options.js';
import { Pace } from './pace.js';
import { readLetter, summaryOf } from './read-letter.js';
import { retrier } from './retry.js';
import { exportLines, type ImportResult, importLines } from './transfer.js';
import { type UnreadableLetter, unreadableIn } from './unreadable.js';
import { walk } from './walk.js';

/** How many publishes may be under way without a rate. */
const MAX_IN_FLIGHT = 10_000;
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024;

const CLOSE_MS = 5_000;

/**
 * Connects, to look at dead letters and to do something about them.
 *
 * @throws OptionsError with all problems at once
 * @throws ConnectError
 */
export async function openFailures(options: FailuresOptions): Promise<Failures> {
  const settings = failuresSettings(options);
  const { transport, log, connectDeadlineMs } = settings;
  const events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
  const limits = { maxInFlight: MAX_IN_FLIGHT, maxInFlightBytes: MAX_IN_FLIGHT_BYTES };
  const session = await transport.open(
    { service: 'failures', events, log, ...limits },
    new Deadline(transport.clock, connectDeadlineMs),
  );
  return new Failures(settings, session);
}

/** A queue's dead letters, counted. */
export interface DeadLetterCount {
  readonly deadQueue: string;
  /** How many wait; undefined if there is no such queue. */
  readonly count: number | undefined;
}

/**
 * The dead letters of some queues: looked at without a trace, and replayed, forgotten or carried elsewhere without a
 * loss. Made by {@link openFailures}. Run one call at a time: each holds, while it lasts, the letters it looks at, so a
 * second one sees only the rest, and so does any other consumer of the queue.
 */
export class Failures {
  /** @internal */
  constructor(
    private readonly settings: FailuresSettings,
    private readonly session: TransportSession,
  ) {}

  /**
   * Dead letters that end each connection over which they are delivered, as the last look at their queues found them: an
   * entry for each queue that has any. They lie first in their queue then; all others were looked at, and are acted on.
   */
  get unreadable(): UnreadableLetter[] {
    return this.settings.queues.flatMap((queue) => unreadableIn(this.session, queue) ?? []);
  }

  /** How many lie in each queue. */
  async count(): Promise<DeadLetterCount[]> {
    const counts: DeadLetterCount[] = [];
    for (const deadQueue of this.settings.queues) {
      const state = await this.session.inspect(deadQueue);
      counts.push({ deadQueue, count: state?.ready });
    }
    return counts;
  }

  /**
   * Dead letters in short, queue by queue, in the order in which they came there. Takes nothing and changes nothing but
   * the broker's count of redeliveries.
   *
   * @throws OptionsError, TopologyError if a queue is missing
   * @throws DeadLetterIdError if an id names none, or its beginning several
   * @throws UnreadableLettersError if more than ten letters of a queue end their connection
   */
  async list(filter: DeadLetterFilter = {}): Promise<DeadLetterSummary[]> {
    checkWith('filter', filter, FILTER_FIELDS);
    const { ids, limit = Number.POSITIVE_INFINITY } = filter;
    const matches = matcherOf(filter, this.settings.transport.clock.now());
    const found: DeadLetterSummary[] = [];
    const all = new Set<string>();
    for (const queue of this.queuesOf(filter)) {
      const before = found.length;
      const see = (letter: DeadLetter) => {
        if (ids) all.add(letter.id);
        if (matches(letter) && (ids || found.length < limit)) found.push(summaryOf(letter));
      };
      await this.look(queue, see, () => {
        found.length = before;
      });
    }
    if (!ids) return found;
    const wanted = new Set(ids.map((id) => resolved(id, all)));
    return found.filter(({ id }) => wanted.has(id)).slice(0, limit);
  }

  /**
   * The dead letters with this id, whole: one, unless the message has duplicates or failed in several queues.
   *
   * @param id or its beginning
   * @throws DeadLetterIdError if it names none, or several
   */
  async get(id: string): Promise<DeadLetter[]> {
    const known = new Map<string, DeadLetter[]>();
    for (const queue of this.settings.queues) {
      const before = new Map(known);
      const see = (letter: DeadLetter) => {
        if (letter.id.startsWith(id)) known.set(letter.id, [...(known.get(letter.id) ?? []), letter]);
      };
      await this.look(queue, see, () => {
        known.clear();
        for (const [each, letters] of before) known.set(each, letters);
      });
    }
    return known.get(resolved(id, new Set(known.keys()))) ?? [];
  }

  /**
   * The body of a dead letter as it was before it was encrypted; of a plain one, the body. Needs the option `encryption`.
   *
   * @throws UnknownKeyError, KeysUnavailableError
   * @throws UndecodableError if the key is another one, or the message was changed
   */
  async decrypted(letter: DeadLetter): Promise<Buffer> {
    const { encryptedHeader, encryptedWith, chain, batchHeader, messageId, routingKey } = letter;
    if (encryptedWith === undefined) return letter.body;
    const { encryption } = this.settings;
    if (!encryption) throw new UnknownKeyError(encryptedWith);
    const bound = boundTo(routingKey, ownerOf(messageId, chain, batchOfText(batchHeader)));
    return (await encryption.open(letter.body, encryptedHeader, bound)).body;
  }

  /**
   * Sends dead letters on their way again, in their order. Each is published, confirmed by the broker, and only then
   * taken out: killed at any moment, nothing is lost, and what was under way may come twice. What can't be replayed
   * stays where it is and is in the result.
   *
   * @throws OptionsError, TopologyError, DeadLetterIdError before anything is done
   * @throws ConnectError, PublishTimeoutError, OutcomeUnknownError when the broker goes away; the rest stays
   */
  async retry(selection: Selection, options: ReplayOptions = {}): Promise<ActResult> {
    checkWith('retry', options, REPLAY_FIELDS);
    const { settings, session } = this;
    const pace = new Pace(settings.transport.clock, options.rate);
    return this.act(selection, retrier(settings, session, options.to ?? 'queue'), { ...options, pace });
  }

  /** Takes dead letters out for good. @throws as {@link retry} */
  async forget(
    selection: Selection,
    options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
  ): Promise<ActResult> {
    const pace = new Pace(this.settings.transport.clock, undefined);
    return this.act(selection, async () => {}, { ...options, pace });
  }

  /**
   * Deletes everything that waits in a dead-letter queue at this moment, whatever it is, also what nobody can read.
   *
   * @returns how many
   */
  async flush(queue: string): Promise<number> {
    const [deadQueue = ''] = this.queuesOf({ queues: [queue] });
    return this.session.purge(deadQueue);
  }

  /** Dead letters as lines of JSON, bytes and types intact; they stay where they are. What {@link import} reads. */
  async *export(selection: Selection = {}): AsyncGenerator<string, void, void> {
    const wanted = await this.list(filterOf(selection));
    yield* exportLines(this.session, this.settings, wanted);
  }

  /**
   * Puts exported dead letters into the dead-letter queues that they were in, each confirmed. A line that can't be read
   * or published is in the result with its number, and the rest goes on. Importing twice makes duplicates.
   */
  import(lines: AsyncIterable<string> | Iterable<string>): Promise<ImportResult> {
    return importLines(this.session, this.settings, lines);
  }

  /** Closes the connection, if no bus shares it. */
  close(): Promise<void> {
    return this.session.close(new Deadline(this.settings.transport.clock, CLOSE_MS));
  }

  private async act(selection: Selection, one: Act, options: ActingOptions): Promise<ActResult> {
    // First of all to find out what exactly is meant: what fails anew meanwhile is not.
    const wanted = await this.list(filterOf(selection));
    const acting = new Acting(this.session, this.settings, one, options);
    return acting.on(wanted);
  }

  /** @param again called when all that was seen comes again */
  private async look(queue: string, see: (letter: DeadLetter) => void, again: () => void): Promise<void> {
    const { names, transport } = this.settings;
    await walk(this.session, transport.clock, {
      queue,
      again,
      pick: (delivery) => void see(readLetter(delivery, names)),
    });
  }

  /** @throws OptionsError for a queue that isn't one of ours */
  private queuesOf({ queues }: DeadLetterFilter): readonly string[] {
    if (!queues) return this.settings.queues;
    const named = queues.map((queue) => deadLettersOf(queue, this.settings.names));
    const unknown = named.filter((queue) => !this.settings.queues.includes(queue));
    if (unknown.length > 0)
      throw new OptionsError(
        'filter',
        unknown.map((queue) => `queue '${queue}' was not opened`),
      );
    return [...new Set(named)];
  }
}

function resolved(given: string, known: ReadonlySet<string>): string {
  const found = resolveId(given, known);
  if ('id' in found) return found.id;
  throw new DeadLetterIdError(given, found.candidates);
}
