export type { Clock, Timer } from '../util/clock.js';
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
export type { CrashPoint, TestKit } from './kit.js';
export { ManualClock } from './manual-clock.js';
export { testKit } from './open-kit.js';
export type { Fake, TestKitOptions } from './options.js';
export type { RawProperties } from './outside.js';
export type { Whose } from './whose.js';
