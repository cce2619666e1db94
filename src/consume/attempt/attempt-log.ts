import type { Logger } from '../../util/logger.js';

/** A logger that adds these fields to each line; those of the line win. */
export const logWith = (logger: Logger, mine: object): Logger => ({
  debug: (fields, message) => logger.debug({ ...mine, ...fields }, message),
  info: (fields, message) => logger.info({ ...mine, ...fields }, message),
  warn: (fields, message) => logger.warn({ ...mine, ...fields }, message),
  error: (fields, message) => logger.error({ ...mine, ...fields }, message),
});
