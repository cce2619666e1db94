import {
  boolean,
  type GenericSchema,
  type InferOutput,
  literal,
  object,
  optional,
  pipe,
  string,
  transform,
  tuple,
  variant,
} from 'valibot';
import type { ErrorGroup } from '../consume/report/error-groups.js';
import type { RouteStatus, RunningStatus, SlowOutcome, SlowStatus } from '../consume/report/messages.js';
import type { HandlerStatus, LanePause, LaneStatus, SlotGroupStatus } from '../consume/report/status.js';
import type { HandlerLimits, RateInForce, SetLimit } from '../features/limits/limits-in-force.js';
import type { LimitRate } from '../features/rate-limit/option.js';
import { count, durationMs, figure, listOf, shapeOf, soundOf, text, whole } from '../util/json-shape.js';
import type { ControlAnswer, LimitedAnswer, MigratingAnswer, ProcessStatus } from './answer.js';

/*
 * Shapes of operators' requests and of the workers' answers. Any program may publish either. What a worker of an older version does
 * not tell of itself has a default: an upgrade goes on for a while, and it must not seem to be silent.
 */

const rate = shapeOf<LimitRate>({ allow: count, everyMs: durationMs });

export const setLimit = shapeOf<SetLimit>({
  queue: optional(text),
  handler: optional(text),
  bucket: optional(text),
  rate: optional(rate),
  concurrency: optional(count),
  since: figure,
});

export const controlRequest = variant('ask', [
  /** Asks for the status, of one service or of all. */
  object({ ask: literal('status'), service: optional(text) }),
  /** Asks each process of a service to be replaced by a fresh one. */
  object({ ask: literal('restart'), service: text }),
  /**
   * The complete list of paused queues from now on. The processes that serve `queue`, the one that has changed,
   * answer.
   */
  object({ ask: literal('pauses'), paused: listOf(text), queue: text }),
  /**
   * The complete list of limits that operators have set, from now on. The processes that have the handler, or a handler of the bucket,
   * whose limit has changed, answer.
   */
  object({
    ask: literal('limits'),
    limits: listOf(setLimit),
    queue: optional(text),
    handler: optional(text),
    bucket: optional(text),
  }),
  /** Asks the processes that have such a handler whether it can have these limits. */
  object({
    ask: literal('may-limit'),
    queue: optional(text),
    handler: optional(text),
    bucket: optional(text),
    rate: optional(rate),
    concurrency: optional(count),
  }),
  /** Has the processes that serve a queue read the document of the migrations, which has this version or a later one, and obey it. */
  object({ ask: literal('migration'), queue: text, document: whole }),
  /** Sets how many messages of a queue are handled at once. */
  object({ ask: literal('scale'), queue: text, concurrency: count }),
  /** Asks for the messages whose handlers run. */
  object({ ask: literal('running') }),
  /** Asks for the slowest attempts of the last minutes. */
  object({ ask: literal('slowest') }),
  /** Asks by which exchanges and patterns messages reach the handlers. */
  object({ ask: literal('routes') }),
  /** Closes the open circuit of a handler. */
  object({ ask: literal('reset-circuit'), queue: text, handler: text }),
  /** Fires the signal of this message's handler. */
  object({ ask: literal('cancel'), messageId: text }),
  /** Has workers tell of each dead letter for a time, as dead-letter-notice.ts says. Nobody answers. */
  object({ ask: literal('dead-letters'), forMs: durationMs }),
  /** Has monitors tell nobody of these alerts for a time; 0 ends that. */
  object({ ask: literal('silence'), pattern: text, forMs: durationMs }),
  /** Has monitors remind nobody of these alerts until they get worse or end. */
  object({ ask: literal('acknowledge'), pattern: text }),
]);

export type ControlRequest = Readonly<InferOutput<typeof controlRequest>>;

/** A name from a list that another version may have more of: any text passes. */
const nameOf = <Name extends string>() => text as unknown as GenericSchema<unknown, Name>;

const lane = shapeOf<LaneStatus>({
  queue: text,
  of: text,
  each: optional(literal('process')),
  paused: listOf(nameOf<LanePause>()),
  oldestMs: optional(figure),
  suspects: optional(whole),
});

const slotGroup = shapeOf<SlotGroupStatus>({
  queues: listOf(text),
  lanes: listOf(lane),
  slots: whole,
  running: whole,
  waiting: whole,
  held: boolean(),
  busyMs: optional(figure, 0),
});

/** A pair of its own each: that of the schema has room for seventeen, and whoever follows a hundred handlers holds thousands of them. */
const histogram = listOf(
  pipe(
    tuple([whole, whole]),
    transform(([bucket, times]): [number, number] => [bucket, times]),
  ),
);

const errorGroup = shapeOf<ErrorGroup>({ kind: string(), message: string(), count, lastAt: figure });

const rateInForce = shapeOf<RateInForce>({
  allow: optional(count),
  everyMs: figure,
  bucket: optional(text),
  keyed: boolean(),
});

const limits = shapeOf<HandlerLimits>({
  rate: optional(rateInForce),
  concurrency: optional(count),
  since: optional(figure),
});

const limited = shapeOf<LimitedAnswer>({ queue: text, handler: text, alone: boolean() });

const handler = shapeOf<HandlerStatus>({
  handler: text,
  queue: text,
  timeoutMs: optional(figure, 0),
  running: whole,
  attempts: whole,
  failures: whole,
  timedOut: optional(whole, 0),
  retries: whole,
  deadLettered: whole,
  overMs: figure,
  recent: whole,
  recentFailures: optional(whole, 0),
  runtime: histogram,
  wait: histogram,
  errors: optional(listOf(errorGroup), []),
  longestMs: optional(figure),
  circuit: optional(nameOf<NonNullable<HandlerStatus['circuit']>>()),
  limits: optional(limits),
});

const status = shapeOf<ProcessStatus>({
  state: text,
  version: optional(text),
  supervised: boolean(),
  uptimeMs: figure,
  memory: figure,
  lagMs: optional(figure),
  slotGroups: listOf(slotGroup),
  handlers: listOf(handler),
});

const running = shapeOf<RunningStatus>({
  queue: text,
  handler: text,
  messageId: optional(string()),
  routingKey: string(),
  attempt: count,
  runningMs: figure,
  medianMs: optional(figure),
  timeoutMs: figure,
  chainId: optional(string()),
  batchId: optional(string()),
});

const slow = shapeOf<SlowStatus>({
  queue: text,
  handler: text,
  messageId: optional(string()),
  attempt: count,
  runMs: figure,
  endedAt: figure,
  outcome: nameOf<SlowOutcome>(),
});

const route = shapeOf<RouteStatus>({
  exchange: text,
  isDeclared: boolean(),
  type: optional(string()),
  pattern: string(),
  key: optional(string()),
  queue: text,
  handler: text,
});

const migrating = shapeOf<MigratingAnswer>({ version: whole, inHand: whole });

export const controlAnswer = shapeOf<ControlAnswer>({
  service: text,
  host: text,
  pid: count,
  problem: optional(text),
  pausedBy: optional(listOf(text)),
  cancelled: optional(whole),
  acknowledged: optional(listOf(text)),
  running: optional(soundOf(running)),
  slowest: optional(soundOf(slow)),
  routes: optional(soundOf(route)),
  circuitsClosed: optional(whole),
  limited: optional(listOf(limited)),
  migration: optional(migrating),
  status: optional(status),
});
