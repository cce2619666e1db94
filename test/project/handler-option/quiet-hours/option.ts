import { integerFrom, objectWith, required } from '../../util/check.js';

export interface QuietHoursOption {
  /** Hours in which the handler does not start: a message waits until they are over. @default none */
  quietHours?: QuietHoursOptions;
}

/** Hours of the day, in UTC; they may begin on one day and end on the next. */
export interface QuietHoursOptions {
  /** First quiet hour: an integer, 0 to 23. */
  from: number;
  /** Hour in which the handler starts again: an integer, 0 to 23. */
  to: number;
}

export type QuietHoursSettings = ReturnType<typeof quietHoursOption.settings>;

const hour = required(integerFrom(0, 23));

const HOUR_MS = 3_600_000;

export const quietHoursOption = {
  check: objectWith({ from: hour, to: hour }),
  settings: ({ from, to }: QuietHoursOptions) => ({
    fromMs: from * HOUR_MS,
    forMs: ((to - from + 24) % 24) * HOUR_MS,
  }),
};
