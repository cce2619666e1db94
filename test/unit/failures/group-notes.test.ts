import assert from 'node:assert/strict';
import { ConnectError } from '../../../src/errors.js';
import { type GroupDocument, GroupNotes } from '../../../src/failures/groups/group-records.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

const noted: GroupDocument = {
  v: 1,
  groups: { one: { state: 'seen', note: 'the quota', by: 'ada', at: 1, seenAt: 1 } },
};

describe('what operators have said of groups', () => {
  const away = () => Promise.reject(new ConnectError('the broker is away', 'Wait for it.'));
  const notesOf = (read: () => Promise<GroupDocument>) => {
    const clock = new ManualClock();
    const change = () => assert.fail('nothing was said');
    return { clock, notes: new GroupNotes({ read, change }, clock) };
  };

  it('stays known while the broker is away, and is read again when it is back', async () => {
    const answers = [async () => noted, away, async () => ({ v: 1, groups: {} })];
    const { clock, notes } = notesOf(() => (answers.shift() ?? away)());
    assert.deepEqual(await notes.readOrLast(2_000), noted.groups);
    assert.equal(notes.problem, undefined);
    await clock.advance(5_000);
    assert.deepEqual(await notes.readOrLast(2_000), noted.groups);
    assert.match(notes.problem ?? '', /the broker is away/);
    await clock.advance(5_000);
    assert.deepEqual(await notes.readOrLast(2_000), {});
    assert.equal(notes.problem, undefined);
  });

  it('is not made up where it never was read', async () => {
    const { notes } = notesOf(away);
    await assert.rejects(notes.read(), ConnectError);
    assert.deepEqual(await notes.readOrLast(2_000), {});
    assert.match(notes.problem ?? '', /the broker is away/);
  });
});
