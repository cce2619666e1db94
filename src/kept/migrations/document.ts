import { boolean, optional, picklist, record, string, unknown } from 'valibot';
import type { Arguments } from '../../message/exchange-option.js';
import type { QueueType } from '../../topology/bus-topology.js';
import { type Generation, KEY_LENGTH, Overlap } from '../../topology/generations.js';
import { shaped, shapeOf, text, whole } from '../../util/json-shape.js';

/**
 * What is being done for a queue. Each step is written before it is begun, so who finds it may begin it again:
 *
 * declare  the new queue is declared. Nothing else has changed
 * hold     processes take nothing more of the old queue, so that nobody handles what is about to lie in both
 * bind     the new queue is bound to all that the old one is bound to: what comes from now on lies in both
 * unbind   the old queue is unbound: what comes lies in the new queue alone
 * compare  the new queue is read once: what it has by now is the overlap
 * drain    processes take the old queue again, and drop what the overlap says is in the new one, too
 * leave    the old queue is empty: processes take nothing of it, and say that nothing is left in their hands
 * remove   processes take the new queue. What may have come late into the old one is moved, and the old one deleted
 */
export const STEPS = ['declare', 'hold', 'bind', 'unbind', 'compare', 'drain', 'leave', 'remove'] as const;

export type Step = (typeof STEPS)[number];

/** A migration that has begun and has not ended. */
export interface UnderWay {
  readonly step: Step;
  /** The queue in the broker that is left. */
  readonly from: string;
  /** The queue in the broker that takes its place. */
  readonly to: string;
  readonly fromType: QueueType;
  readonly toType: QueueType;
  /** True if a landing queue stands before the queue that is left. @default by its type */
  readonly fromLands?: boolean | undefined;
  readonly toLands?: boolean | undefined;
  /** Arguments of the new one. */
  readonly arguments: Arguments;
  /** Keys of the messages that both have, one behind the other; from the step `drain` on. */
  readonly overlap?: string | undefined;
}

export interface MigratedQueue {
  /** The queue in the broker that processes take. */
  readonly name: string;
  readonly type: QueueType;
  /** True if a landing queue stands before it. @default by its type */
  readonly lands?: boolean | undefined;
  readonly underWay?: UnderWay | undefined;
}

/** Which queues stand for which, by the names that applications have for them. */
export interface MigrationsDocument {
  /** Number of changes. */
  readonly version: number;
  readonly queues: Readonly<Record<string, MigratedQueue>>;
}

export const NO_MIGRATIONS: MigrationsDocument = { version: 0, queues: {} };

const type = picklist(['quorum', 'classic']);

const document = shapeOf<MigrationsDocument>({
  version: whole,
  queues: record(
    text,
    shapeOf<MigratedQueue>({
      name: text,
      type,
      lands: optional(boolean()),
      underWay: optional(
        shapeOf<UnderWay>({
          step: picklist(STEPS),
          from: text,
          to: text,
          fromType: type,
          toType: type,
          fromLands: optional(boolean()),
          toLands: optional(boolean()),
          arguments: record(string(), unknown()) as never,
          overlap: optional(string()),
        }),
      ),
    }),
  ),
});

export const migrationsIn = (content: unknown): MigrationsDocument | undefined => shaped(document, content);

/** What is written of a queue by which processes take the one that is left, or the new one. */
export const takenOf = (its: UnderWay, isNew: boolean): MigratedQueue =>
  isNew
    ? { name: its.to, type: its.toType, lands: its.toLands }
    : { name: its.from, type: its.fromType, lands: its.fromLands };

/** Steps in which processes take nothing of the queue. */
const HOLDING: ReadonlySet<Step> = new Set(['hold', 'bind', 'unbind', 'compare', 'leave']);

const isHeld = ({ underWay }: MigratedQueue): boolean => underWay !== undefined && HOLDING.has(underWay.step);

/** Queues of which nothing is taken for now. */
export const heldIn = ({ queues }: MigrationsDocument): ReadonlySet<string> =>
  new Set(Object.entries(queues).flatMap(([queue, its]) => (isHeld(its) ? [queue] : [])));

/** What stands for the queues in the broker, by this document. */
export function generationsIn({ queues }: MigrationsDocument): Map<string, Generation> {
  return new Map(
    Object.entries(queues).map(([queue, migrated]) => {
      const { name, type: its, lands, underWay } = migrated;
      const isMoving = underWay !== undefined && underWay.step !== 'remove';
      const keys = isMoving ? underWay.overlap : undefined;
      return [
        queue,
        {
          name,
          type: its,
          lands,
          isMoving,
          isHeld: isHeld(migrated),
          overlap: keys === undefined ? undefined : overlapOf(keys),
        },
      ];
    }),
  );
}

/** @param keys one behind the other */
export function overlapOf(keys: string): Overlap {
  const all = new Set<string>();
  for (let at = 0; at < keys.length; at += KEY_LENGTH) all.add(keys.slice(at, at + KEY_LENGTH));
  return new Overlap(all);
}
