import type {
  CanaryProgress,
  OperationKind,
  OperationState,
} from '../../../failures/operations/operation.js';
import type { Tone } from '../../ui/state.js';

/** Names of what is done. */
export const KINDS: Readonly<Record<OperationKind, string>> = {
  canary: 'Retry as a canary',
  retry: 'Retry',
  forget: 'Forget',
  restore: 'Restore',
};

/** What is being done to the letters. */
export const DOING: Readonly<Record<OperationKind, string>> = {
  canary: 'replayed, one first',
  retry: 'replayed',
  forget: 'moved to the trash',
  restore: 'restored',
};

export const STATE_TONES: Readonly<Record<OperationState, Tone>> = {
  running: 'good',
  stopping: 'warn',
  abandoned: 'warn',
  done: 'quiet',
  stopped: 'warn',
  failed: 'bad',
};

export const STATE_HINTS: Readonly<Record<OperationState, string>> = {
  running: 'It goes on.',
  stopping: 'It is asked to end: letters under way are finished.',
  abandoned: 'Its process says nothing any more; another takes it on in a moment.',
  done: 'It has gone through all its letters.',
  stopped: 'It has ended before its time. The rest is where it was.',
  failed: 'It could not go on. The rest is where it was.',
};

export const STAGES: Readonly<Record<CanaryProgress['stage'], string>> = {
  one: 'one letter, to see how it goes',
  ten: 'ten more',
  rest: 'the rest',
};
