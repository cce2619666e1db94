export type { HandlerDefinitions } from './bus/handler-tree.js';
export type { BusWithJobs } from './bus/jobs.js';
export type { BusOptions } from './bus/options.js';
export { Bus } from './bus.js';
export type {
  BulkHandleOptions,
  HandleOptions,
  HandlerDefinition,
  HandlerOptions,
  HandlerTarget,
  LaneOptions,
  QueueOptions,
} from './consume/handlers/definition.js';
export type { ServeOptions } from './consume/handlers/serve-options.js';
export type { Workload } from './consume/report/workload.js';
export { KeysUnavailableError, UnknownKeyError } from './encryption/errors.js';
export type { EncryptionKey, EncryptionOptions, KeyProvider } from './encryption/key-provider.js';
export { staticKeys } from './encryption/static-keys.js';
export {
  AlreadyStartedError,
  AttemptOverError,
  BatchError,
  CancelledError,
  ChannelLostError,
  ClientLibraryError,
  ConnectError,
  ContextOutsideMessageError,
  CrashedError,
  GuiltyQueueError,
  HandlerResolutionError,
  HandlerTimeoutError,
  HoplineError,
  InvalidMessageError,
  JobFailedError,
  type JobFailure,
  JobTimeoutError,
  JobUnknownError,
  LeaseLostError,
  LockLostError,
  LockTakenError,
  MessageTooLargeError,
  MiddlewareError,
  NameTakenError,
  NoHandlerError,
  NoMessageIdError,
  NoRateLimitError,
  NoResponderError,
  NoTransactionError,
  NotReschedulableError,
  NotResumableError,
  NotStartedError,
  NotUniqueError,
  OptionsError,
  OutcomeUnknownError,
  PayloadInvalidError,
  PublishManyError,
  PublishNotKeptError,
  PublishRejectedError,
  PublishTimeoutError,
  RequestDroppedError,
  RequestLostError,
  RequestRedeliveredError,
  RequestTimeoutError,
  ResponderError,
  ShutdownError,
  StopDeadlineError,
  StoppedError,
  TopologyError,
  UndecodableError,
  UnrecoverableError,
  UnroutableError,
} from './errors.js';
export type { BusEvents, EventName } from './events.js';
export type { BulkOptions } from './features/bulk/option.js';
export type { CircuitBreakerOptions } from './features/circuit-breaker/option.js';
export type { ConcurrencyOptions } from './features/concurrency/option.js';
export type { IdempotentOptions } from './features/idempotent/option.js';
export type { LongOptions } from './features/long/option.js';
export type { RateLimitOptions } from './features/rate-limit/option.js';
export type { ResumableOptions } from './features/resumable/option.js';
export type {
  Batch,
  BatchContext,
  BatchJob,
  BatchNotification,
  BatchOptions,
  BatchStatus,
  DispatchedBatch,
} from './message/batch.js';
export type { Chain, ChainOptions, ChainStep, StepContext } from './message/chain.js';
export { MessageContext } from './message/context.js';
export {
  type DefineOptions,
  defineMessage,
  type InputOf,
  type MessageDefinition,
  type OutputOf,
  type PackOptions,
} from './message/define-message.js';
export type { Arguments, ExchangeOption, ExchangeOptions, ExchangeType } from './message/exchange-option.js';
export type {
  CancelAnswer,
  CancelOptions,
  Job,
  JobProgress,
  JobRun,
  JobSearch,
  JobState,
  JobStatus,
  ResultOptions,
  SentJob,
} from './message/job.js';
export type { Lock, LockOptions } from './message/lock.js';
export type { OnceOptions } from './message/once.js';
export type { Headers } from './message/properties.js';
export type {
  JobOptions,
  PublishManyOptions,
  PublishOptions,
  SendToQueueOptions,
} from './message/publish-options.js';
export type { Published, PublishedMany } from './message/published.js';
export { Publisher } from './message/publisher.js';
export type { ReceivedMessage } from './message/received-message.js';
export { defineRequest, type RequestDefinition } from './message/requests/define-request.js';
export { Requester, type RequestManyOptions, type RequestOptions } from './message/requests/requester.js';
export type { BindingOption } from './message/routing/binding-option.js';
export type { TransactionClient } from './message/transaction-client.js';
export type { UniqueOptions } from './message/unique.js';
export type { FailureLogOptions } from './observe/failure-log/options.js';
export type { BusHealth } from './observe/health/bus-health.js';
export type {
  ConsumedMessage,
  ConsumeNext,
  ConsumeResult,
} from './pipeline/consume-middleware.js';
export type { BulkFunction, FailedFunction, HandlerFunction } from './pipeline/handler.js';
export type {
  HandleMiddleware,
  Middleware,
  MiddlewareNext,
  MiddlewareObject,
} from './pipeline/middleware.js';
export type { PublishNext, PublishRequest } from './pipeline/publish-middleware.js';
export type { BackoffPolicy } from './retry/backoff.js';
export type { ErrorRule } from './retry/error-rules.js';
export type { RetryOptions } from './retry/policy.js';
export { json } from './serialization/json.js';
export type { Deserializer, Serializer } from './serialization/serializer.js';
export type { Stores } from './stores/stores.js';
export { type RabbitmqOptions, rabbitmq, type TlsOptions } from './transport/amqp/index.js';
export { memory } from './transport/memory/index.js';
export type { Transport } from './transport/transport.js';
export type { Duration } from './util/duration.js';
export type { Logger } from './util/logger.js';
