import type { Encryption } from '../../encryption/encryption.js';
import { boundToState } from '../../encryption/envelope.js';
import {
  ChannelLostError,
  InvalidMessageError,
  LeaseLostError,
  NoMessageIdError,
  UndecodableError,
} from '../../errors.js';
import type { Attempt, AttemptState } from '../../pipeline/attempt.js';
import type { CheckpointStore } from '../../stores/checkpoints.js';
import { isPlainObject } from '../../util/check.js';
import { jsonIn } from '../../util/json-shape.js';
import { reasonText } from '../../util/text/error-text.js';
import { joined } from '../../util/text/joined.js';
import { jsonText } from '../../util/text/json-text.js';
import { isEncrypted, opened } from '../encryption/decrypt.js';

/** Maximum size of a state, in bytes of its JSON. */
export const MAX_STATE_BYTES = 262_144;

export interface StateOptions {
  readonly service: string;
  readonly encryption: Encryption | undefined;
}

/** Time for which the state of a message that has ended is kept: one whose ack was not heard has come again by then. */
const OVER_KEPT_MS = 10 * 60_000;

/** What a store has of a state: the state of a plain message, or that of an encrypted one as its key has sealed it. */
type Stored = Kept & ({ readonly state: unknown } | { readonly header: string; readonly body: string });

interface Kept {
  /** Fence that it was kept with; undefined without a lease. */
  readonly fence?: number;
  /** Once its message has ended: what tells that from others with its id. */
  readonly over?: string;
}

type SaveCall = Parameters<AttemptState['save']>[1];

/**
 * What a resumable handler has done so far with one message, as an attempt sees it. Each state takes the place of the one before; what an
 * attempt keeps that another has followed is refused, as far as that can be seen: its channel is gone, or its lease.
 */
export class HandlerState implements AttemptState {
  value: unknown = undefined;
  /** The last state that is on its way to the store; undefined once it is there, or has failed. */
  private saving: Promise<void> | undefined;
  /** As the store has it; undefined if there is none, as far as is known, or it is that of a message that has ended. */
  private text: string | undefined;
  /** Lowest fence that is higher than that of what was loaded: leases of other names are told from this one by the store's clock alone. */
  private leastFence = 0;

  constructor(
    private readonly store: CheckpointStore,
    private readonly keepMs: number,
    private readonly context: Attempt,
    private readonly options: StateOptions,
  ) {}

  /** @throws the errors of the store and of the keys, and an UndecodableError if what is there can't be this message's */
  async load(): Promise<void> {
    const key = this.keyFor();
    const text = key === undefined ? undefined : await this.store.load(key);
    if (key === undefined || text === undefined) return;
    const stored = storedIn(text);
    if (typeof stored.fence === 'number') this.leastFence = stored.fence + 1;
    if (stored.over !== undefined && !this.isSame(stored.over)) return;
    this.value = await this.read(stored, key);
    if (stored.over === undefined) this.text = text;
  }

  save(state: unknown, call: SaveCall, onFailed: () => void = () => {}): Promise<void> {
    const saved = this.saved(state, call).catch((error) => {
      onFailed();
      throw error;
    });
    this.saving = saved;
    const clear = () => {
      if (this.saving === saved) this.saving = undefined;
    };
    // Before the caller hears of it: what has failed, and was caught, is the caller's to deal with.
    saved.then(clear, clear);
    return saved;
  }

  async settled(): Promise<void> {
    await this.saving;
  }

  /** For a message that has ended: the broker may not hear the ack, so what there is is kept for some minutes more. */
  async forget(): Promise<void> {
    const { text, fence, context } = this;
    const key = this.keyFor();
    // What another run has kept meanwhile is that one's.
    if (key === undefined || text === undefined || context.work.lease?.isLost) return;
    await this.store.save(key, withField(text, 'over', sendingOf(context)), fence, OVER_KEPT_MS);
  }

  /** True for a message that has ended, and comes again: any other with its id begins anew. */
  private isSame(over: string): boolean {
    return this.context.work.received.redelivered && over === sendingOf(this.context);
  }

  private get fence(): number {
    const { lease } = this.context.work;
    return lease ? Math.max(lease.fence, this.leastFence) : 0;
  }

  private async saved(state: unknown, call: SaveCall): Promise<void> {
    const { context, saving } = this;
    context.mustNotBeOver(call);
    const key = this.keyFor();
    if (key === undefined) throw new NoMessageIdError(`context.${call}() can't keep a state`);
    // As it is now: the handler may change it.
    const json = jsonOf(state, call);
    // That one before failed its own caller hears.
    await saving?.catch(() => {});
    await this.write(key, json, call);
  }

  private async write(key: string, json: string, call: SaveCall): Promise<void> {
    const { store, keepMs, context, fence } = this;
    const { lease, received } = context.work;
    const written = await this.written(json, key);
    const text = lease ? withField(written, 'fence', fence) : written;
    if (lease) lease.mustBeHeld(`context.${call}()`);
    else if (received.delivery.lost) throw new ChannelLostError(received.delivery.queue);
    const isKept = await store.save(key, text, fence, keepMs);
    if (!isKept && lease) throw LeaseLostError.refusing(`context.${call}()`, context.handler.name);
    // The state is that of a lease, which the handler no longer takes: a version before this one did.
    if (!isKept) await this.replace(key, text);
    this.value = JSON.parse(json);
    this.text = text;
  }

  private async replace(key: string, text: string): Promise<void> {
    await this.store.forget(key);
    await this.store.save(key, text, 0, this.keepMs);
  }

  /** A state may hold what its message holds. */
  private async written(json: string, key: string): Promise<string> {
    const { encryption } = this.options;
    if (!this.isSecret || !encryption) return `{"state":${json}}`;
    const sealed = await encryption.seal(Buffer.from(json), 'application/json', boundToState(key));
    return JSON.stringify({ header: sealed.header, body: sealed.body.toString('base64') } satisfies Stored);
  }

  private async read(stored: Stored, key: string): Promise<unknown> {
    if (!this.isSecret && 'state' in stored) return stored.state;
    if (!('header' in stored)) throw unreadable('it is not encrypted, and its message is');
    const body = Buffer.from(stored.body, 'base64');
    const plain = await opened(this.options.encryption, body, stored.header, boundToState(key));
    return JSON.parse(plain.body.toString());
  }

  private get isSecret(): boolean {
    return isEncrypted(this.context.work.received);
  }

  private keyFor(): string | undefined {
    const { messageId, handler } = this.context;
    if (messageId === undefined) return undefined;
    return joined(this.options.service, handler.queue, handler.name, messageId);
  }
}

/** What tells a message from another with its id, on all its ways. */
const sendingOf = ({ work: { received } }: Attempt): string =>
  joined(String(received.delivery.properties.timestamp ?? ''), received.run ?? '');

/** The text of an object that is not empty, with one more field. */
const withField = (text: string, name: keyof Kept, value: string | number): string =>
  `{${JSON.stringify(name)}:${JSON.stringify(value)},${text.slice(1)}`;

/** @throws UndecodableError */
function storedIn(text: string): Stored {
  const stored = jsonIn(text);
  if (isPlainObject(stored)) return stored as unknown as Stored;
  throw unreadable('it is not what this version writes');
}

const unreadable = (why: string): UndecodableError =>
  new UndecodableError(
    `the state of a resumable handler can't be read: ${why}`,
    'Look who else writes into the store, and drop the state there: the message then begins anew.',
  );

/** @throws InvalidMessageError */
function jsonOf(state: unknown, call: SaveCall): string {
  let json: string;
  try {
    json = jsonText(state);
  } catch (error) {
    throw new InvalidMessageError(
      `context.${call}() can't keep a state that JSON can't hold: ${reasonText(error)}`,
      'Give it plain data, such as { page: 7 }.',
      { cause: error },
    );
  }
  const bytes = Buffer.byteLength(json);
  if (bytes <= MAX_STATE_BYTES) return json;
  throw new InvalidMessageError(
    `context.${call}() can't keep a state of ${bytes} bytes: ${MAX_STATE_BYTES} are the most`,
    'Keep how far the work has come, and store what it has made elsewhere.',
  );
}
