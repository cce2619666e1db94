export type { Annotation, ClassAnnotation } from './annotation.js';
export { type HandlersOptions, handlers } from './handlers.js';
export { Handles, type HandlesDecorator } from './handles.js';
export type { Class, HandlerScope, HandlesBatchOptions, HandlesOptions } from './metadata.js';
export {
  CircuitBreaker,
  Encrypted,
  Idempotent,
  Inbox,
  RateLimit,
  Retry,
  Timeout,
  type TimeoutOptions,
  Unique,
} from './policies.js';
export { Queue } from './queue.js';
export type { Injected, Token } from './token.js';
