export { CircuitBreaker } from './circuit-breaker.js';
export { type HandlersOptions, handlers } from './handlers.js';
export { Handles, type HandlesDecorator } from './handles.js';
export { Idempotent } from './idempotent.js';
export type { Class, HandlerScope, HandlesBatchOptions, HandlesOptions } from './metadata.js';
export { Queue } from './queue.js';
export { RateLimit } from './rate-limit.js';
export { Retry } from './retry.js';
export { Timeout, type TimeoutOptions } from './timeout.js';
