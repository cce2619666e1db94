import assert from 'node:assert/strict';
import { ControlError, OptionsError } from '../../../src/errors.js';
import { checkRequest } from '../../../src/failures/operations/check-request.js';
import {
  asEnded,
  type KeptOperation,
  NO_OPERATIONS,
  type OperationsDocument,
  withBegun,
} from '../../../src/failures/operations/kept-operations.js';
import type { OperationRequest } from '../../../src/failures/operations/operation.js';
import { Signs } from '../../../src/failures/operations/signs.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { silentLogger } from '../../../src/util/logger.js';

const operation = (id: string, ids: readonly string[], more: Partial<KeptOperation> = {}): KeptOperation => ({
  ...{ id, kind: 'canary', selection: { ids, deadQueue: `${id}.dead` }, deadQueues: [`${id}.dead`] },
  ...{ to: 'queue', rate: undefined, by: 'ann', startedAt: Number(id), endedAt: undefined },
  ...{ state: 'running', why: undefined, total: 1, done: 0, failed: 0, canary: undefined },
  ...{ reportWithinMs: 1, owner: 'this', beat: 0, beatAt: 0, ...more },
});

const idsOf = (count: number, bytes: number) => Array.from({ length: count }, () => 'x'.repeat(bytes));

/** A list that refuses so many writes. */
function listOf(document: OperationsDocument, refusals: number) {
  const list = { document, refusals };
  const kept = {
    read: async () => list.document,
    change: async (
      change: (before: OperationsDocument) => OperationsDocument | Promise<OperationsDocument>,
    ) => {
      if (list.refusals > 0) {
        list.refusals -= 1;
        throw new ControlError(new Error('memory alarm'));
      }
      list.document = await change(list.document);
      return list.document;
    },
  };
  return { list, kept };
}

function signsOf(its: KeptOperation, kept: ReturnType<typeof listOf>['kept']) {
  const clock = new ManualClock();
  const { id, owner } = its;
  const signs = new Signs({
    ...{ kept, clock, log: silentLogger, id, owner },
    now: () => its,
    endAs: () => {},
  });
  return { clock, signs };
}

describe('the list of operations', () => {
  it('lets go of the oldest ended ones before it has more bytes than may be kept', () => {
    let list = NO_OPERATIONS;
    for (let each = 1; each <= 110; each += 1) {
      const its = operation(`${each}`, idsOf(250, 250));
      list = withBegun(list, its, each);
      assert.ok(Buffer.byteLength(JSON.stringify(list)) < 500 * 1024);
      const ended = asEnded(its, 'stopped', 'y'.repeat(600), each);
      list = { ...list, operations: list.operations.map((one) => (one.id === its.id ? ended : one)) };
    }
    const kept = list.operations.map(({ id }) => Number(id)).toSorted((left, right) => left - right);
    assert.equal(kept.at(-1), 110);
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, index) => 111 - kept.length + index),
    );
    assert.ok(kept.length > 40 && kept.length < 100, `${kept.length}`);
  });

  it('has no room for more than may be kept of those that have not ended', () => {
    let list = NO_OPERATIONS;
    const begin = (each: number) => withBegun(list, operation(`${each}`, idsOf(250, 250)), each);
    for (let each = 1; each <= 6; each += 1) list = begin(each);
    assert.throws(() => begin(7), OptionsError);
  });

  it('takes no request with ids of more than 64 kB', () => {
    const request = (ids: readonly string[]): OperationRequest => ({
      ...{ kind: 'retry', selection: { ids, deadQueue: 'q.dead' } },
    });
    checkRequest(request(idsOf(1_000, 36)), 'ann');
    assert.throws(
      () => checkRequest(request(idsOf(1_000, 255)), 'ann'),
      /at most 1000 ids, of 64 kB together/,
    );
  });

  it('is told that an operation has stopped as soon as it can be written again', async () => {
    const its = operation('1', ['a']);
    const { list, kept } = listOf({ v: 1, operations: [its] }, 7);
    const { clock, signs } = signsOf(its, kept);
    const ending = signs.end({ state: 'stopped', why: 'it came back' }, new AbortController().signal);
    await clock.advance(20_000);
    const ended = await ending;
    assert.deepEqual([ended.state, list.document.operations[0]?.state], ['stopped', 'stopped']);
    assert.equal(list.document.operations[0]?.why, 'it came back');
  });

  it('makes whoever has taken on a stopped operation stop as well', async () => {
    const its = operation('1', ['a']);
    const { list, kept } = listOf({ v: 1, operations: [{ ...its, owner: 'another' }] }, 0);
    const { signs } = signsOf(its, kept);
    await signs.end({ state: 'stopped', why: 'it came back' }, new AbortController().signal);
    const [now] = list.document.operations;
    assert.deepEqual([now?.owner, now?.state, now?.why], ['another', 'stopping', 'it came back']);
  });

  it('is not waited for by a process that is about to end', async () => {
    const its = operation('1', ['a']);
    const { kept } = listOf({ v: 1, operations: [its] }, 1_000);
    const { clock, signs } = signsOf(its, kept);
    const closing = new AbortController();
    const ending = assert.rejects(signs.end({ state: 'done' }, closing.signal), ControlError);
    await clock.advance(10_000);
    closing.abort();
    await ending;
  });
});
