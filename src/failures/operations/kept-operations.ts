import {
  array,
  type GenericSchema,
  literal,
  number,
  object,
  optional,
  picklist,
  string,
  union,
} from 'valibot';
import { OperationConflictError, OptionsError } from '../../errors.js';
import type { KeptDocument } from '../../kept/kept-document.js';
import { shaped, shapeOf, soundOf, whole } from '../../util/json-shape.js';
import { isRate, type Rate } from '../acting/pace.js';
import type { CanaryProgress, Operation, OperationSelection, OperationState } from './operation.js';

/* The list of operations as it is kept in the broker. The format is a promise: whoever changes it incompatibly raises `v`. */

const VERSION = 1;

/** An operation, and who works on it. */
export interface KeptOperation extends Operation {
  /** `abandoned` follows from {@link beatAt}, and is not kept. */
  readonly state: Exclude<OperationState, 'abandoned'>;
  readonly reportWithinMs: number;
  /** Token of the process that works on it. */
  readonly owner: string;
  /** Raised by the owner each few seconds, with the moment by its own clock; 0 if it has given the operation up. */
  readonly beat: number;
  readonly beatAt: number;
}

export interface OperationsDocument {
  readonly v: number;
  readonly operations: readonly KeptOperation[];
}

export type OperationsKept = Pick<KeptDocument<OperationsDocument>, 'read' | 'change'>;

export const NO_OPERATIONS: OperationsDocument = { v: VERSION, operations: [] };

const canary = shapeOf<CanaryProgress>({
  stage: picklist(['one', 'ten', 'rest']),
  handled: whole,
  cameBack: whole,
  failedOtherwise: whole,
  unheard: whole,
});

const operation = shapeOf<KeptOperation>({
  id: string(),
  kind: picklist(['retry', 'canary', 'forget', 'restore']),
  selection: union([
    object({ group: string() }),
    object({ ids: array(string()), deadQueue: string() }),
  ]) as unknown as GenericSchema<unknown, OperationSelection>,
  deadQueues: array(string()),
  to: picklist(['queue', 'republish']),
  rate: optional(union([string(), number()])) as unknown as GenericSchema<unknown, Rate | undefined>,
  by: string(),
  startedAt: number(),
  endedAt: optional(number()),
  state: picklist(['running', 'stopping', 'done', 'stopped', 'failed']),
  why: optional(string()),
  total: whole,
  done: whole,
  failed: whole,
  canary: optional(canary),
  reportWithinMs: whole,
  owner: string(),
  beat: whole,
  beatAt: number(),
});

/** One that a newer version has written costs only itself. */
const document = object({ v: literal(VERSION), operations: soundOf(operation) });

/** Undefined for content of another form. */
export function decodeOperations(content: unknown): OperationsDocument | undefined {
  const read = shaped(document, content);
  if (!read) return undefined;
  return { ...read, operations: read.operations.filter(({ rate }) => rate === undefined || isRate(rate)) };
}

/** Time without a sign of its owner after which an operation counts as abandoned. */
export const ABANDONED_MS = 15_000;
/** Ended operations are kept for a week, the latest hundred. */
const KEPT_MS = 7 * 24 * 60 * 60_000;
const MOST_KEPT = 100;
/** Ids that an ended operation keeps. */
const MOST_IDS_KEPT = 20;
/** Bytes of the list when an operation begins. What is written of it later has room up to the most that a kept document may have. */
const MOST_BYTES = 384 * 1024;

export const isActive = ({ state }: Pick<Operation, 'state'>): boolean =>
  state === 'running' || state === 'stopping' || state === 'abandoned';

/** True if its owner has said nothing for a while, by the clock of who asks. */
export const isAbandoned = (its: KeptOperation, now: number): boolean =>
  isActive(its) && now - its.beatAt >= ABANDONED_MS;

export function found({ operations }: OperationsDocument, id: string): KeptOperation {
  const its = operations.find((each) => each.id === id);
  if (its) return its;
  throw new OptionsError('operation', [
    `there is no operation '${id}': \`hopline failed operations\` lists them`,
  ]);
}

/** The same document with this operation in the place of the one with its id. */
export const withChanged = (before: OperationsDocument, its: KeptOperation): OperationsDocument => ({
  ...before,
  operations: before.operations.map((each) => (each.id === its.id ? its : each)),
});

/** @throws OperationConflictError if one that has not ended works on one of these queues */
export function checkNoneOn(
  { operations }: OperationsDocument,
  deadQueues: readonly string[],
  now: number,
): void {
  for (const other of operations.filter(isActive)) {
    const shared = other.deadQueues.find((queue) => deadQueues.includes(queue));
    if (shared !== undefined) throw conflict(other, shared, now);
  }
}

/**
 * @throws OperationConflictError as {@link checkNoneOn}
 * @throws OptionsError if those that have not ended take up all the room
 */
export function withBegun(before: OperationsDocument, its: KeptOperation, now: number): OperationsDocument {
  checkNoneOn(before, its.deadQueues, now);
  return { ...before, operations: pruned([...before.operations, its], now) };
}

export function asEnded(
  its: KeptOperation,
  state: 'done' | 'stopped' | 'failed',
  why: string | undefined,
  now: number,
): KeptOperation {
  const { selection } = its;
  const few = 'ids' in selection ? { ...selection, ids: selection.ids.slice(0, MOST_IDS_KEPT) } : selection;
  return { ...its, selection: few, state, why: why?.slice(0, MOST_WHY), endedAt: now, beatAt: now };
}

const MOST_WHY = 500;

/** What to tell who wants to work on the same queue. */
export function conflict(other: KeptOperation, deadQueue: string, now: number): OperationConflictError {
  const { id, kind, by, startedAt, total, done, failed } = other;
  const since = new Date(startedAt).toISOString();
  const state = isAbandoned(other, now) ? ' Its process has said nothing for a while.' : '';
  return new OperationConflictError(
    id,
    deadQueue,
    `'${by}' works on the dead letters in '${deadQueue}' since ${since}: ${kind} ${id}, ${done + failed} of ${total} done.${state}`,
  );
}

/** Those that are kept: of ended ones the latest, as many as there is room for. */
function pruned(operations: readonly KeptOperation[], now: number): KeptOperation[] {
  const isKept = ({ endedAt }: KeptOperation) => endedAt === undefined || now - endedAt < KEPT_MS;
  const latest = operations.filter(isKept).sort((left, right) => right.startedAt - left.startedAt);
  const active = latest.filter(isActive);
  let bytes = bytesOf(active);
  if (bytes > MOST_BYTES)
    throw new OptionsError('operation', [
      'those that have not ended leave no room for another with so many ids: wait for them, or name a group',
    ]);
  const ended: KeptOperation[] = [];
  for (const its of latest.filter((each) => !isActive(each)).slice(0, MOST_KEPT)) {
    bytes += bytesOf(its);
    if (bytes > MOST_BYTES) break;
    ended.push(its);
  }
  return latest.filter((each) => isActive(each) || ended.includes(each));
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1;

/** What others see of it. */
export function shown(its: KeptOperation, now: number): Operation {
  const { owner: _, beat: __, beatAt: ___, reportWithinMs: ____, ...rest } = its;
  return isAbandoned(its, now) ? { ...rest, state: 'abandoned' } : rest;
}
