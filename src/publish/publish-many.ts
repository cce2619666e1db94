import { PublishManyError, type PublishManyFailure } from '../errors.js';
import type { PublishedMany } from '../message/published.js';
import { isOneLine, LINE_END_BYTES } from '../message/wire/pack.js';
import { deferred } from '../util/deferred.js';

export interface PublishManyParts {
  readonly routingKey: string;
  /** Maximum number of payloads in one message. */
  readonly pack: number;
  /** Maximum size of one message's payloads, in bytes. */
  readonly packBytes: number;
  /** Serializes and checks a payload. */
  bodyOf(payload: unknown): Promise<Buffer>;
  /** Publishes some payloads in one message; resolves with its confirm. */
  send(bodies: readonly Buffer[]): Promise<unknown>;
}

/** Maximum number of unconfirmed messages: enough to keep the broker busy, and the bound on memory. */
const IN_FLIGHT = 1_000;
/** Maximum number of unconfirmed packs. */
const PACKS_IN_FLIGHT = 50;

/** A serialized payload, with its index in the call. */
interface Item {
  readonly body: Buffer;
  readonly index: number;
}

/**
 * Publishes all payloads, packed or one by one. It takes payloads from the iterable only as fast as they can
 * be sent.
 *
 * @throws PublishManyError once all have ended, if some failed
 */
export async function publishMany(
  payloads: Iterable<unknown> | AsyncIterable<unknown>,
  parts: PublishManyParts,
): Promise<PublishedMany> {
  const failures: PublishManyFailure[] = [];
  let underWay = 0;
  let room = deferred();
  const limit = parts.pack > 1 ? PACKS_IN_FLIGHT : IN_FLIGHT;
  let open: Item[] = [];
  let bytes = 0;
  const send = async (items: readonly Item[]) => {
    while (underWay >= limit) await room.promise;
    underWay += 1;
    const ended = () => {
      underWay -= 1;
      room.resolve();
      room = deferred();
    };
    parts
      .send(items.map(({ body }) => body))
      .catch((error: Error) => failures.push(...items.map(({ index }) => ({ index, error }))))
      .then(ended, ended);
  };
  const close = async () => {
    const items = open;
    open = [];
    bytes = 0;
    if (items.length > 0) await send(items);
  };

  let index = -1;
  for await (const payload of payloads) {
    index += 1;
    let body: Buffer;
    try {
      body = await parts.bodyOf(payload);
    } catch (error) {
      failures.push({ index, error: error as Error });
      continue;
    }
    if (parts.pack === 1 || !isOneLine(body)) {
      await send([{ body, index }]);
      continue;
    }
    const more = body.length + LINE_END_BYTES;
    if (bytes + more > parts.packBytes) await close();
    open.push({ body, index });
    bytes += more;
    if (open.length >= parts.pack) await close();
  }
  await close();
  while (underWay > 0) await room.promise;
  const count = index + 1;
  if (failures.length > 0) throw new PublishManyError(parts.routingKey, count, sorted(failures));
  return { count, confirmed: true };
}

const sorted = (failures: readonly PublishManyFailure[]) =>
  failures.toSorted((left, right) => left.index - right.index);
