export type { Annotation, ClassAnnotation, OptionDecorator } from './annotation.js';
export { handlerClassesOf, isHandlerClass } from './handler-classes.js';
export { type HandlersOptions, handlers } from './handlers.js';
export { Handles, type HandlesDecorator } from './handles.js';
export type { Class, HandlerScope, HandlesBulkOptions, HandlesOptions, RepliesOptions } from './metadata.js';
// biome-ignore lint/performance/noReExportAll: that file is a list of names already, and the snapshot of the API holds them
export * from './policies.js';
export { Queue } from './queue.js';
export { Replies, type RepliesDecorator } from './replies.js';
export type { Injected, Token } from './token.js';
