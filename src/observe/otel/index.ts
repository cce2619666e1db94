export { type OtelOptions, otel } from './otel.js';
export { tracedLogger } from './traced-logger.js';
