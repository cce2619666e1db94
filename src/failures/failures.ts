import { DeadLetterIdError } from '../errors.js';
import type { Session } from '../transport/transport.js';
import { Deadline } from '../util/deadline.js';
import { type Act, Acting, type ActingOptions, type ActResult } from './acting/acting.js';
import { checkEdit, type Edit, editedLetter } from './acting/edit.js';
import { exportChoice, exportLines } from './acting/export-lines.js';
import { freeLetters } from './acting/free-letters.js';
import { type ImportResult, importLines } from './acting/import-lines.js';
import { retrying } from './acting/retrying.js';
import { intoTrash, outOfTrash } from './acting/trash.js';
import { type DeadLetterFilter, FILTER_FIELDS } from './filter.js';
import { DeadLetterIndex, type DeadLetterIndexOptions } from './groups/dead-letter-index.js';
import type { DeadLetter, DeadLetterSummary } from './letters/dead-letter.js';
import { summaryOf } from './letters/read-letter.js';
import { type UnreadableLetter, unreadableIn } from './letters/unreadable.js';
import { checkFree } from './operations/kept-list.js';
import { LiveOperations } from './operations/live-operations.js';
import {
  checkWith,
  type DeadLetterCount,
  type EditOptions,
  type FailuresSettings,
  FORGET_FIELDS,
  type ForgetOptions,
  filterOf,
  LISTED,
  type ListedFilter,
  type ListedLetter,
  openedOf,
  REPLAY_FIELDS,
  type ReplayOptions,
  type Selection,
  selectsAll,
  type TrashedLetter,
} from './options.js';
import { countsOf } from './reading/counts.js';
import { decrypted } from './reading/decrypted.js';
import { LetterReading } from './reading/letter-reading.js';
import { OneAtATime } from './reading/one-at-a-time.js';
import { trashList } from './reading/trash-list.js';

const CLOSE_MS = 5_000;

/**
 * The dead letters of some queues. Reading leaves them as they are; replaying, forgetting and moving them loses
 * none. Made by {@link openFailures}. Run one call at a time: a call holds the letters that it reads until it
 * ends, so that a second call, or any other consumer of the queue, sees only the rest.
 */
export class Failures {
  /** Shared by all that takes letters of these queues in this process. @internal */
  readonly turns = new OneAtATime();
  private readonly reading: LetterReading;
  private readonly operating: LiveOperations[] = [];

  /** @internal */
  constructor(
    private readonly settings: FailuresSettings,
    private readonly session: Session,
  ) {
    this.reading = new LetterReading(session, settings.transport.clock, settings.names);
  }

  /**
   * Dead letters that end each connection over which they are delivered, as found when their queues were last
   * read: one entry for each queue that has any. They are then first in their queue; all others were read, and
   * can be acted on.
   */
  get unreadable(): UnreadableLetter[] {
    return this.settings.queues().flatMap((queue) => unreadableIn(this.session, queue) ?? []);
  }

  /** Number of dead letters in each queue. */
  async count(): Promise<DeadLetterCount[]> {
    return countsOf(this.session, this.settings.queues());
  }

  /**
   * Summaries of dead letters, queue by queue, in the order of their arrival. Changes nothing but the broker's count of redeliveries.
   *
   * @throws OptionsError; TopologyError if a queue is missing
   * @throws DeadLetterIdError if an id matches none, or is the prefix of several
   * @throws UnreadableLettersError if more than ten letters of a queue end their connection
   */
  async list(filter: DeadLetterFilter = {}): Promise<DeadLetterSummary[]> {
    return this.reading.list(this.queuesOf(filter), filter, summaryOf);
  }

  /** Shows what {@link list} gives, and keeps nothing of it. The filter has no ids. @internal */
  async each(filter: Omit<DeadLetterFilter, 'ids'>, see: (letter: DeadLetterSummary) => void): Promise<void> {
    await this.reading.each(this.queuesOf(filter), filter, (letter) => see(summaryOf(letter)));
  }

  /**
   * Dead letters with this id, complete: one, unless the message has duplicates or failed in several queues.
   *
   * @param id an id, or a prefix of one
   * @param options `queues` to look in: each is read whole @default all
   * @throws DeadLetterIdError if it matches none, or is the prefix of several
   */
  async get(id: string, options: Pick<DeadLetterFilter, 'queues'> = {}): Promise<DeadLetter[]> {
    return this.reading.find(id, this.queuesOf(options));
  }

  /**
   * Dead letters of one queue with these ids, complete, in their order: all in one pass, since a pass goes through the whole queue
   * even for one. Ids that it doesn't find are left out.
   *
   * @param deadQueue one of this object's queues, or its `.dead`
   * @throws OptionsError, TopologyError, UnreadableLettersError
   */
  async read(deadQueue: string, ids: Iterable<string>): Promise<DeadLetter[]> {
    const [queue = ''] = this.queuesOf({ queues: [deadQueue] });
    return this.reading.read(queue, new Set(ids));
  }

  /**
   * Plaintext body of a dead letter; of a plain message, its body. Needs the option `encryption`.
   *
   * @throws UnknownKeyError, KeysUnavailableError
   * @throws UndecodableError if the key is a different one, or the message was changed
   */
  decrypted(letter: DeadLetter): Promise<Buffer> {
    return decrypted(letter, this.settings);
  }

  /**
   * Replays dead letters in their order. Each is published, confirmed by the broker, and only then removed: if
   * the process is killed, nothing is lost, and the letters under way may be replayed twice. Letters that can't
   * be replayed stay in their queue and are listed in the result.
   *
   * @throws OptionsError, TopologyError, DeadLetterIdError before anything is done
   * @throws OperationConflictError, before anything is done, if an operation of an operator works on one of the queues
   * @throws ConnectError, PublishTimeoutError, OutcomeUnknownError if the broker goes away; the remaining
   * letters stay
   */
  async retry(selection: Selection, options: ReplayOptions = {}): Promise<ActResult> {
    checkWith('retry', options, REPLAY_FIELDS);
    const { one, ...how } = retrying(this.settings, this.session, options);
    return this.act(selection, one, how);
  }

  /**
   * Replays one dead letter with another body or other headers. The message says from then on who has edited it; it keeps its place in a
   * chain and in a batch. An encrypted body is encrypted again, which needs the option `encryption`.
   *
   * @param id its whole id
   * @returns `gone` is 1 if somebody else has retried or forgotten it meanwhile
   * @throws PayloadInvalidError if the new payload does not fit the schema, by the option `messages`; InvalidMessageError if it can't be
   * written, or read as JSON where there is a schema; MessageTooLargeError
   * @throws OptionsError, DeadLetterIdError, UnknownKeyError, KeysUnavailableError
   * @throws OperationConflictError if an operation works on the queue
   */
  async retryEdited(
    id: string,
    deadQueue: string,
    edit: Edit,
    { by, ...options }: EditOptions,
  ): Promise<ActResult> {
    const { settings, session } = this;
    checkEdit(edit, by);
    await this.checkFree(this.queuesOf({ queues: [deadQueue] }));
    const [letter] = await this.get(id, { queues: [deadQueue] });
    if (letter?.id !== id) throw new DeadLetterIdError(id, letter ? [letter.id] : []);
    const edited = await editedLetter(letter, edit, { by, settings });
    const { one } = retrying(settings, session, options);
    return new Acting(session, settings, () => one(edited), {}).on([letter]);
  }

  /**
   * Removes dead letters: for good, or into the trash, from which {@link restore} brings them back for a day.
   *
   * @throws as {@link retry}
   */
  async forget(selection: Selection, options: ForgetOptions = {}): Promise<ActResult> {
    checkWith('forget', options, FORGET_FIELDS);
    const { trash, ...hooks } = options;
    const one = trash ? intoTrash(this.session, this.settings, trash.by) : async () => {};
    return this.act(selection, one, { ...hooks, mayRepeat: !trash });
  }

  /** Letters in the trash, in the order in which they were forgotten. `queues` of the filter are those that they were in. */
  async trash(filter: DeadLetterFilter = {}): Promise<TrashedLetter[]> {
    checkWith('filter', filter, FILTER_FIELDS);
    const { trash } = this.settings.names;
    if (!(await this.session.inspect(trash))) return [];
    const named = filter.queues && { queues: this.queuesOf(filter) };
    return trashList(this.reading, trash, { ...filter, ...named });
  }

  /**
   * Brings letters of the trash back into the dead-letter queues that they were in.
   *
   * @throws as {@link retry}
   */
  async restore(
    selection: Selection,
    options: Pick<ForgetOptions, 'onProgress' | 'signal'> = {},
  ): Promise<ActResult> {
    const { settings, session } = this;
    await this.checkFree('trash');
    const filter: ListedFilter = filterOf(selection);
    const wanted = filter[LISTED] ?? (await this.trash(filter));
    return new Acting(session, settings, outOfTrash(session, settings), options).on(wanted);
  }

  /**
   * Deletes all messages of a dead-letter queue, also those that can't be read.
   *
   * @throws OperationConflictError if an operation works on it
   * @returns number of deleted messages
   */
  async flush(queue: string): Promise<number> {
    const [deadQueue = ''] = this.queuesOf({ queues: [queue] });
    await this.checkFree([deadQueue]);
    return this.session.purge(deadQueue);
  }

  /** @throws OperationConflictError if an operation works on one of these queues, in whatever process @internal */
  async checkFree(deadQueues: readonly string[] | 'trash'): Promise<void> {
    const { session, settings } = this;
    await checkFree(session, settings, deadQueues === 'trash' ? [settings.names.trash] : deadQueues);
  }

  /**
   * What {@link list} gives, for who is to act on it.
   *
   * @throws OperationConflictError if an operation works on one of the queues; with ids, on one of theirs @internal
   */
  async listFree(filter: ListedFilter = {}): Promise<readonly ListedLetter[]> {
    return freeLetters(filter, this.queuesOf(filter), this.reading, (queues) => this.checkFree(queues));
  }

  /**
   * Dead letters as lines of JSON, with bytes and types intact; they stay in their queue. {@link import} reads
   * the lines.
   */
  async *export(selection: Selection = {}): AsyncGenerator<string, void, void> {
    const { session, settings, reading } = this;
    const filter = filterOf(selection);
    yield* exportLines(session, settings, await exportChoice(reading, this.queuesOf(filter), filter));
  }

  /**
   * Publishes exported dead letters into the dead-letter queues that they came from, each confirmed. A line
   * that can't be read or published is in the result with its number, and the others go on. Importing twice
   * makes duplicates.
   */
  import(lines: AsyncIterable<string> | Iterable<string>): Promise<ImportResult> {
    return importLines(this.session, this.settings, lines);
  }

  /**
   * An index of these queues on this connection, which is empty until its `refresh`. Letters that calls of this object remove are to be
   * told to it, by its `left`.
   *
   * @internal
   */
  index(
    options: Omit<DeadLetterIndexOptions, 'session' | 'names' | 'clock' | 'turns' | 'queues'> = {},
  ): DeadLetterIndex {
    const { session, settings, turns } = this;
    const { names, transport, queues } = settings;
    return new DeadLetterIndex({ session, names, clock: transport.clock, turns, queues, ...options });
  }

  /**
   * What operators do with these letters, on this connection.
   *
   * @param index that of these letters, by {@link index}
   * @param options `takesOn`: true if operations that their process has left are gone on with here
   * @internal
   */
  operations(index: DeadLetterIndex, { takesOn }: { readonly takesOn: boolean }): LiveOperations {
    const { session, settings, turns } = this;
    const operations = new LiveOperations({ session, settings, turns, index, takesOn });
    this.operating.push(operations);
    return operations;
  }

  /** Closes the connection, if no bus shares it. Operations that run here go on in another process. */
  async close(): Promise<void> {
    await Promise.all(this.operating.map((operations) => operations.close()));
    await this.session.close(new Deadline(this.settings.transport.clock, CLOSE_MS));
  }

  private async act(selection: Selection, one: Act, options: ActingOptions): Promise<ActResult> {
    const filter = filterOf(selection);
    const acting = new Acting(this.session, this.settings, one, options);
    if (!selectsAll(filter)) return acting.on(await this.listFree(filter));
    const queues = this.queuesOf(filter);
    await this.checkFree(queues);
    return acting.onAll(queues);
  }

  /** @throws OptionsError if the filter is wrong */
  private queuesOf(filter: DeadLetterFilter): readonly string[] {
    checkWith('filter', filter, FILTER_FIELDS);
    return openedOf(this.settings, filter);
  }
}
