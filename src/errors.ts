// All errors of the core, grouped by the caller's activity. encryption/, testing/ and cli/doctor/ define their
// own.
export {
  AttemptOverError,
  CancelledError,
  ChannelLostError,
  CrashedError,
  GuiltyQueueError,
  HandlerTimeoutError,
  LeaseLostError,
  LockLostError,
  LockTakenError,
  MiddlewareError,
  NoHandlerError,
  NoMessageIdError,
  NoRateLimitError,
  NotResumableError,
  ShutdownError,
  StopDeadlineError,
  UndecodableError,
  UnrecoverableError,
} from './errors/handling.js';
export { HoplineError } from './errors/hopline-error.js';
export {
  JobFailedError,
  type JobFailure,
  JobTimeoutError,
  JobUnknownError,
  NameTakenError,
  NotReschedulableError,
} from './errors/jobs.js';
export {
  BatchError,
  ControlError,
  DeadLetterIdError,
  KeptDocumentError,
  OperationConflictError,
  UnreadableLettersError,
} from './errors/operating.js';
export {
  InvalidMessageError,
  MessageTooLargeError,
  NotUniqueError,
  OutcomeUnknownError,
  PayloadInvalidError,
  PublishManyError,
  type PublishManyFailure,
  PublishNotKeptError,
  PublishRejectedError,
  PublishTimeoutError,
  UnroutableError,
} from './errors/publishing.js';
export {
  NoResponderError,
  type RemoteFailure,
  RequestDroppedError,
  RequestLostError,
  RequestRedeliveredError,
  RequestTimeoutError,
  ResponderError,
} from './errors/requesting.js';
export {
  AlreadyStartedError,
  ClientLibraryError,
  ConnectError,
  ContextOutsideMessageError,
  HandlerResolutionError,
  NotStartedError,
  OptionsError,
  StoppedError,
  TopologyError,
} from './errors/starting.js';
export {
  MigrationError,
  NoTransactionError,
  StoreConnectError,
  StoreNotMigratedError,
  StoreTimeoutError,
} from './errors/stores.js';
