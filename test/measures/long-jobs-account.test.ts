import assert from 'node:assert/strict';
import { balance } from '../../scripts/long-jobs/account.js';
import type { Entry } from '../../scripts/long-jobs/journal.js';

const OPTIONS = { jobs: 1, leaseMs: 4_000 };

const began = (at: number, run: string): Entry => ({
  ...{ what: 'began', at, job: 0, run },
  life: run.split('/')[0] as string,
});
const ended = (at: number, run: string, how: 'done' | 'told to stop' = 'done'): Entry => ({
  ...{ what: 'ended', at, run, how },
});
const published = (at: number, run: string, result: 'made' | 'refused' = 'made'): Entry => ({
  ...{ what: 'effect', at, from: at - 1, run, kind: 'publish', result },
});
const arrived = (at: number, run: string): Entry => ({ what: 'arrived', at, job: 0, run });
const done = (at: number, run: string): Entry[] => [published(at - 1, run), ended(at, run), arrived(at, run)];
const of = (what: 'killed' | 'stopped' | 'continued', at: number, life: string): Entry => ({
  what,
  at,
  life,
});

const wrongIn = (entries: readonly Entry[], options: object = {}) =>
  balance(
    entries.toSorted((left, right) => left.at - right.at),
    { ...OPTIONS, ...options },
  ).wrong;

describe('the account of long jobs under faults', () => {
  it('has nothing against a run that follows one that was killed', () => {
    const entries = [began(0, 'a/1'), of('killed', 500, 'a'), began(4_500, 'b/1'), ...done(9_000, 'b/1')];
    assert.deepEqual(wrongIn(entries), []);
    const account = balance(entries, OPTIONS);
    assert.deepEqual([account.runs, account.killed, account.doneAgain], [2, 1, 0]);
  });

  it('finds a run beside another', () => {
    const entries = [began(0, 'a/1'), began(500, 'b/1'), ...done(9_000, 'a/1'), ...done(9_500, 'b/1')];
    assert.match(wrongIn(entries).join(), /b\/1 began 8500 ms before the end of a\/1/);
  });

  it('lets a run be beside one whose process was stopped past its lease, and not a moment before, nor one with effects', () => {
    const stopped = (second: number, late: 'made' | 'refused') => [
      ...[began(0, 'a/1'), of('stopped', 1_000, 'a'), of('continued', 9_000, 'a')],
      ...[published(9_050, 'a/1', late), ended(9_100, 'a/1', 'told to stop')],
      ...[began(second, 'b/1'), ...done(second + 8_000, 'b/1')],
    ];
    assert.deepEqual(wrongIn(stopped(5_000, 'refused')), []);
    assert.equal(balance(stopped(5_000, 'refused'), OPTIONS).refused, 1);
    assert.match(wrongIn(stopped(2_000, 'refused')).join(), /b\/1 began/);
    assert.match(wrongIn(stopped(5_000, 'made')).join(), /'publish' of a\/1 was made after b\/1 had begun/);
  });

  it('finds what goes on after its process stood still past its lease, and was not told', () => {
    const still: Entry = { what: 'stood still', at: 9_000, run: 'a/1', forMs: 8_000, isAborted: false };
    assert.match(
      wrongIn([began(0, 'a/1'), still, ...done(9_500, 'a/1')]).join(),
      /its signal did not say so/,
    );
  });

  it('finds a job of which nothing has come, one that has no end, and what one that was told to stop has brought about', () => {
    assert.match(wrongIn([began(0, 'a/1'), ended(9_000, 'a/1')]).join(), /nothing of it has arrived/);
    assert.match(wrongIn([began(0, 'a/1'), arrived(9_000, 'a/1')]).join(), /a\/1 has not ended/);
    const toldToStop = [began(0, 'a/1'), ended(1_000, 'a/1', 'told to stop'), arrived(1_100, 'a/1')];
    assert.match(wrongIn(toldToStop).join(), /has arrived, though it was told to stop/);
  });

  it('finds transactions that were committed twice, or by a run that was told to stop', () => {
    const entries = [
      ...[began(0, 'a/1'), ended(1_000, 'a/1', 'told to stop'), began(5_000, 'b/1')],
      ...[ended(9_000, 'b/1'), arrived(9_010, 'b/1')],
    ];
    const written = (...runs: string[]) => ({ written: runs.map((run) => ({ job: 0, run })) });
    assert.deepEqual(wrongIn(entries, written('b/1')), []);
    assert.match(wrongIn(entries, written('a/1', 'b/1')).join(), /2 of its transactions were committed/);
    assert.match(wrongIn(entries, written('a/1')).join(), /the transaction of a\/1 was committed/);
  });
});
