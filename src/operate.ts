export type {
  BindingDescription,
  BusDescription,
  QueueDescription,
} from './consume/handlers/bus-description.js';
export type { ErrorGroup } from './consume/report/error-groups.js';
export type { RouteStatus, RunningStatus, SlowOutcome, SlowStatus } from './consume/report/messages.js';
export type { QueueWorkload, SlotGroupWorkload } from './consume/report/workload.js';
export type { ControlAnswer, LimitedAnswer, ProcessIdentity, ProcessStatus } from './control/answer.js';
export { type Control, openControl } from './control/control.js';
export type { HandlerReport, Percentiles } from './control/handler-report.js';
export type { LimitChange, LimitResult, Limits, LimitTarget } from './control/limits.js';
export type { ControlOptions } from './control/options.js';
export type { ProcessReport, QueueReport } from './control/queue-report.js';
export type { ControlResult, Expected, PauseResult, StatusReport } from './control/results.js';
export {
  ControlError,
  DeadLetterIdError,
  KeptDocumentError,
  OperationConflictError,
  UnreadableLettersError,
} from './errors.js';
export type { DeadLetterReason } from './events.js';
export type { ActResult, FailedLetter } from './failures/acting/acting.js';
export type { Edit } from './failures/acting/edit.js';
export type { FailedLine, ImportResult } from './failures/acting/import-lines.js';
export type { Rate } from './failures/acting/pace.js';
export type { ReplayTarget } from './failures/acting/replay.js';
export type { Failures } from './failures/failures.js';
export type { DeadLetterFilter } from './failures/filter.js';
export type { ChainPosition, DeadLetter, DeadLetterSummary } from './failures/letters/dead-letter.js';
export type { EditedMark, TrashedMark } from './failures/letters/marks.js';
export type { UnreadableLetter } from './failures/letters/unreadable.js';
export { openFailures } from './failures/open-failures.js';
export type {
  DeadLetterCount,
  EditOptions,
  FailuresOptions,
  ForgetOptions,
  Progress,
  ReplayOptions,
  Selection,
  TrashedLetter,
} from './failures/options.js';
export type { HandlerLimits, RateInForce, SetLimit } from './features/limits/limits-in-force.js';
export type { LimitRate } from './features/rate-limit/option.js';
export type { ConnectionHealth, ConsumerHealth, HealthError } from './observe/health/bus-health.js';
