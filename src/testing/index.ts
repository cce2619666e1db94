export type { Clock, Timer } from '../util/clock.js';
export { ManualClock } from '../util/manual-clock.js';
export type {
  AttemptEntry,
  DeadLetteredMessage,
  HandledMessage,
  MessageEntry,
  PublishedMessage,
  RetriedMessage,
} from './entries.js';
export { NotSettledError, ScheduleFailedError } from './errors.js';
export { type Explored, type ExploreOptions, explore, type StartKit } from './exploring/explore.js';
export type { FaultTarget } from './exploring/faults.js';
export type { Happened } from './happened.js';
export type { CrashPoint, RawProperties, TestKit, Whose } from './kit.js';
export { testKit } from './open-kit.js';
export type { Fake, TestKitOptions } from './options.js';
