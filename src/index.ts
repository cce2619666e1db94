export { Bus } from './bus.js';
export type {
  BatchHandleOptions,
  BatchOptions,
  HandleOptions,
  HandlerDefinition,
  HandlerOptions,
  Lanes,
  PatternOrDefinition,
  Patterns,
  PayloadOf,
  PublishedTo,
  QueueOptions,
} from './consume/handlers/definition.js';
export type { BindingDescription, BusDescription, QueueDescription } from './consume/handlers/describe.js';
export type { ServeOptions } from './consume/handlers/serving.js';
export type { QueueWorkload, SetWorkload, Workload } from './consume/report/workload.js';
export {
  type Control,
  type Heeded,
  openControl,
  type PausesHeeded,
  type ProcessReport,
  type QueueReport,
  type StatusReport,
} from './control/control.js';
export type { HandlerReport, Percentiles } from './control/handler-report.js';
export type { ControlOptions } from './control/options.js';
export type { ControlAnswer, ProcessStatus, Respondent } from './control/protocol.js';
export { KeysUnavailableError, UnknownKeyError } from './encryption/errors.js';
export type { EncryptionKey, EncryptionOptions, Key, KeyProvider } from './encryption/key-provider.js';
export { type StaticKeysOptions, staticKeys } from './encryption/static-keys.js';
export {
  AlreadyStartedError,
  AttemptOverError,
  BatchError,
  CancelledError,
  ChannelLostError,
  ClientLibraryError,
  ConnectError,
  ContextOutsideMessageError,
  ControlError,
  CrashedError,
  DeadLetterIdError,
  GuiltyQueueError,
  HandlerResolutionError,
  HandlerTimeoutError,
  HoplineError,
  InvalidMessageError,
  MessageTooLargeError,
  MiddlewareError,
  NoHandlerError,
  NoMessageIdError,
  NoTransactionError,
  NotStartedError,
  NotUniqueError,
  OptionsError,
  OutcomeUnknownError,
  PayloadInvalidError,
  PublishManyError,
  type PublishManyFailure,
  PublishRejectedError,
  PublishTimeoutError,
  ShutdownError,
  StopDeadlineError,
  StoppedError,
  StoreNotMigratedError,
  StoreTimeoutError,
  TopologyError,
  UndecodableError,
  UnreadableLettersError,
  UnrecoverableError,
  UnroutableError,
} from './errors.js';
export type {
  AttemptEvent,
  BatchEvent,
  BusEvents,
  BusState,
  DeadLetterReason,
  EventName,
  PublishEvent,
} from './events.js';
export type { ActResult, FailedLetter } from './failures/acting.js';
export { type DeadLetterCount, type Failures, openFailures } from './failures/failures.js';
export type { DeadLetterFilter } from './failures/filter.js';
export type { ChainPlace, DeadLetter, DeadLetterSummary } from './failures/letters/dead-letter.js';
export type { UnreadableLetter } from './failures/letters/unreadable.js';
export type { FailuresOptions, Progress, ReplayOptions, Selection } from './failures/options.js';
export type { Rate } from './failures/pace.js';
export type { ReplayTarget } from './failures/replay.js';
export type { FailedLine, ImportResult } from './failures/transfer.js';
export type { CircuitBreakerOptions } from './features/circuit-breaker/circuit-breaker.js';
export type { IdempotentOptions } from './features/idempotent/option.js';
export type { RateLimitOptions } from './features/rate-limit/rate-limit.js';
export type {
  BatchCallback,
  BatchContext,
  BatchFigures,
  BatchJob,
  BatchNews,
  BatchStatus,
  CheckedJob,
  CheckedJobs,
  DispatchedBatch,
  JobBatch,
  JobBatchOptions,
} from './message/batch.js';
export type {
  Chain,
  ChainOptions,
  ChainStep,
  CheckedStep,
  CheckedSteps,
  StepContext,
  StepFailure,
} from './message/chain.js';
export { MessageContext } from './message/context.js';
export {
  type DefineOptions,
  defineMessage,
  type InputOf,
  type MessageDefinition,
  type OutputOf,
  type PackOptions,
} from './message/define-message.js';
export type { ExchangeOption } from './message/exchange-option.js';
export type { Headers, HeaderValue, MessageProperties } from './message/message.js';
export type { JsonForm, OnceOptions } from './message/once.js';
export type { Published, PublishedMany } from './message/published.js';
export {
  type ManyOptionsFor,
  type OptionsFor,
  Publisher,
  type PublishIntent,
  type PublishManyOptions,
  type PublishOptions,
} from './message/publisher.js';
export type { ReceivedMessage } from './message/received-message.js';
export type { TransactionClient } from './message/transaction-client.js';
export type { UniqueOptions, UniqueRule, UniqueSend } from './message/unique.js';
export type { FailureLogOptions } from './observe/failure-log/options.js';
export type {
  BusHealth,
  ConnectionHealth,
  ConsumerHealth,
  HealthError,
} from './observe/health/bus-health.js';
export type { BusOptions, HandlerDefinitions } from './options.js';
export type { BatchFunction, FailedFunction, HandlerFunction } from './pipeline/handler.js';
export type {
  HandleMiddleware,
  Middleware,
  MiddlewareNext,
  MiddlewareObject,
} from './pipeline/middleware.js';
export type { PublishedChange, PublishedMessage, PublishNext } from './pipeline/publish-middleware.js';
export type { BackoffPolicy, ExponentialBackoff } from './retry/backoff.js';
export type { ErrorMatcher, ErrorRule } from './retry/error-rules.js';
export type { RetryOptions } from './retry/policy.js';
export type { BodyOption } from './serialization/body-option.js';
export { type JsonOptions, json } from './serialization/json.js';
export type { Deserializer, Serializer } from './serialization/serializer.js';
export type { StopOptions } from './stopping.js';
export type {
  BatchChange,
  BatchCounts,
  BatchRecord,
  BatchStore,
  JobResult,
  NewBatch,
  ReservedNumbers,
} from './stores/batches.js';
export type { ClaimStore, HandledKey } from './stores/claims.js';
export type { LedgerStore } from './stores/ledger.js';
export type { LockStore } from './stores/locks.js';
export type { PermitStore } from './stores/permits.js';
export type { SequenceStore } from './stores/sequences.js';
export type { Stores } from './stores/stores.js';
export type { QueueType, TopologyMode } from './topology/plan.js';
export {
  type BrokerUrl,
  type Pem,
  type RabbitmqOptions,
  rabbitmq,
  type TlsOptions,
} from './transport/amqp/index.js';
export { type MemoryOptions, memory } from './transport/memory/index.js';
export type { Transport } from './transport/transport.js';
export type { Clock, Timer } from './util/clock.js';
export type { Duration } from './util/duration.js';
export type { Logger } from './util/logger.js';
export { ManualClock } from './util/manual-clock.js';
