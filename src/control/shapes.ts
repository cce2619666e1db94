/*
 * Shapes that the workers' answers must have. Answers come from any program that may publish them, and from
 * other versions: additional fields are accepted.
 */

type Is = (value: unknown) => boolean;

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const isTextOrNone = (value: unknown): value is string | undefined =>
  value === undefined || isText(value);
/** A positive safe integer. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

const isFlag: Is = (value) => typeof value === 'boolean';
const isFigure: Is = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isWhole: Is = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

const orNone =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);

const listOf =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && value.every(is);

function shape(fields: Readonly<Record<string, Is>>): Is {
  const checks = Object.entries(fields);
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    checks.every(([name, is]) => is((value as Readonly<Record<string, unknown>>)[name]));
}

/** A bucket and its count. */
const isPair: Is = (value) => Array.isArray(value) && value.length === 2 && value.every(isWhole);

const isSlotGroup = shape({
  queues: listOf(isText),
  lanes: listOf(shape({ queue: isText, of: isText, paused: listOf(isText) })),
  slots: isWhole,
  running: isWhole,
  waiting: isWhole,
  held: isFlag,
});

const isHandler = shape({
  handler: isText,
  queue: isText,
  running: isWhole,
  attempts: isWhole,
  failures: isWhole,
  retries: isWhole,
  deadLettered: isWhole,
  overMs: isFigure,
  recent: isWhole,
  runtime: listOf(isPair),
  wait: listOf(isPair),
  circuit: orNone(isText),
});

const isStatus = shape({
  state: isText,
  supervised: isFlag,
  uptimeMs: isFigure,
  memory: isFigure,
  lagMs: orNone(isFigure),
  slotGroups: listOf(isSlotGroup),
  handlers: listOf(isHandler),
});

/** Accepts a `ControlAnswer`. */
export const isAnswer: Is = shape({
  service: isText,
  host: isText,
  pid: isCount,
  problem: orNone(isText),
  pausedBy: orNone(listOf(isText)),
  cancelled: orNone(isWhole),
  status: orNone(isStatus),
});
