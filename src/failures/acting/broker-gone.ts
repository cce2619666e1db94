import { ConnectError, OutcomeUnknownError, PublishTimeoutError, StoppedError } from '../../errors.js';

/** Errors that say that the broker is gone, and nothing about the letter. */
const NOBODY_ANSWERS = [PublishTimeoutError, OutcomeUnknownError, StoppedError, ConnectError];

/** True for an error that says that nobody answers: what was under way can go on when the broker is back. */
export const isBrokerGone = (error: unknown): boolean => NOBODY_ANSWERS.some((kind) => error instanceof kind);
