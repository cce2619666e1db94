import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UnreadableLettersError } from '../../../src/errors.js';
import { type Ring, separateUnreadable } from '../../../src/failures/reading/separate-unreadable.js';

interface Letter {
  readonly id: number;
  readonly isBad: boolean;
}

/** A queue that was handed out from end to end; a loss may swallow what was readable before it, as `swallows` says. */
class Queue implements Ring {
  readonly held: Letter[] = [];
  connections = 0;

  constructor(
    private readonly line: Letter[],
    private readonly swallows: (readable: number) => number,
  ) {}

  get left(): readonly Letter[] {
    return this.line;
  }

  async hold(count: number) {
    const { taken, seen, error } = this.take(count);
    if (error) this.line.push(...taken);
    else this.held.push(...taken);
    return { seen, error };
  }

  async turn(count: number) {
    this.line.push(...this.take(count).taken);
  }

  private take(count: number) {
    this.connections += 1;
    const taken = this.line.splice(0, count);
    const readable = taken.findIndex(({ isBad }) => isBad);
    if (readable < 0) return { taken, seen: taken.length, error: undefined };
    return { taken, seen: readable - this.swallows(readable), error: new Error('lost') };
  }
}

const lettersOf = (bad: readonly boolean[]): Letter[] => bad.map((isBad, id) => ({ id, isBad }));
const hintOf = (bad: readonly boolean[]) => Math.max(0, bad.indexOf(true));

describe('parting the dead letters that end their connection from the others', () => {
  it('holds all others, in their order, and leaves just these, however much a lost connection swallows', async () => {
    const some = fc.array(fc.boolean(), { maxLength: 12 }).filter((bad) => bad.filter(Boolean).length <= 10);
    const few = fc
      .tuple(fc.nat(300), fc.uniqueArray(fc.nat(299), { maxLength: 10 }))
      .map(([size, at]) => Array.from({ length: size }, (_, index) => at.includes(index)));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(some, few),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (bad, share) => {
          const swallows = (readable: number) => Math.round(readable * share);
          const queue = new Queue(lettersOf(bad), swallows);
          const hint = hintOf(bad);
          assert.equal(
            await separateUnreadable(queue, 'q', bad.length, hint - swallows(hint)),
            bad.filter(Boolean).length,
          );
          assert.deepEqual(
            queue.held,
            lettersOf(bad).filter(({ isBad }) => !isBad),
          );
          assert.deepEqual(
            queue.left,
            lettersOf(bad).filter(({ isBad }) => isBad),
          );
        },
      ),
    );
  });

  it('costs about four connections for each of them where nothing is swallowed', async () => {
    const bad = Array.from({ length: 1_000 }, (_, index) => index % 100 === 50);
    const queue = new Queue(lettersOf(bad), () => 0);
    assert.equal(await separateUnreadable(queue, 'q', bad.length, hintOf(bad)), 10);
    assert.ok(queue.connections <= 41, `${queue.connections} connections`);
  });

  it('gives up at the eleventh', async () => {
    const bad = Array.from({ length: 20 }, (_, index) => index < 11);
    const queue = new Queue(lettersOf(bad), () => 0);
    await assert.rejects(
      separateUnreadable(queue, 'q.dead', bad.length, 0),
      (error: Error) =>
        error instanceof UnreadableLettersError && /more than 10 of the 20/.test(error.message),
    );
  });
});
