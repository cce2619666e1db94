import type { GroupRecord, GroupState } from '../../../failures/groups/group.js';
import { State, type Tone } from '../../ui/state.js';
import { momentText } from '../../ui/text.js';

export const TONES: Readonly<Record<GroupState, Tone>> = {
  open: 'warn',
  back: 'bad',
  seen: 'quiet',
  resolved: 'good',
};

const HINTS: Readonly<Record<GroupState, string>> = {
  open: 'nobody has touched it',
  seen: 'somebody is at it',
  resolved: 'it is mended: a later failure makes it come back',
  back: 'it was resolved, and has failed again since',
};

/** What an operator has said of a group. */
export function GroupStateView({ state, by, at }: Omit<GroupRecord, 'note'>) {
  const who = by === undefined ? '' : `; ${by}, ${at === undefined ? '' : momentText(at)}`;
  return (
    <State tone={TONES[state]} title={`${HINTS[state]}${who}`}>
      {state}
    </State>
  );
}
