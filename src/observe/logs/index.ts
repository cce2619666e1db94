export type { LogFields } from '../../events/log-fields.js';
export type { LogLevel } from '../failure-log/sum.js';
export { type ConsoleLoggerOptions, type ConsoleMethods, consoleLogger } from './console-logger.js';
export { logEvents } from './log-events.js';
export { type NestLoggerOptions, type NestLoggerService, nestLogger } from './nest-logger.js';
export type { EventLevels, LogEventsOptions } from './options.js';
