import { Presets, SingleBar } from 'cli-progress';
import { inWords, pendingOf, stateOf } from '../../../oversight/batches/batch-words.js';
import type { BatchStore, StoredBatch } from '../../../stores/batches.js';
import { pause, systemClock } from '../../../util/clock.js';
import { numberText } from '../../../util/text/count-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { barOf } from '../../output/batch-text.js';
import type { Terminal } from '../../output/terminal.js';
import { oneLine, timeText } from '../../output/text.js';
import { atBatches } from '../../stores/batch-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, StoreFlags {
  readonly wait?: boolean;
  readonly json?: boolean;
}

const ASK_EVERY_MS = 500;

/** `hopline batch show ID`: a batch's progress, and the number of its jobs that are dead letters. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<id>', 'its id');
  withTarget(withStores(command))
    .option('--wait', 'until it has ended; fails if it is cancelled or jobs have failed')
    .option('--json', 'as JSON')
    .action(async (id: string, flags: Flags) => {
      await atBatches(flags, terminal, async ({ store }) => {
        const batch = flags.wait ? await endOf(store, id, terminal) : await mustFind(store, id);
        const dead = flags.app || flags.queue ? await deadOf(id, flags, terminal) : undefined;
        if (flags.json)
          await terminal.write(`${JSON.stringify({ ...inWords(batch), dead }, undefined, 2)}\n`);
        else show(terminal, batch, dead);
        if (flags.wait && (batch.isCancelled || batch.failed > 0)) exit(1);
      });
    });
};

/** The record of a batch. @throws UsageError if the store does not have it */
export async function mustFind(store: BatchStore, id: string): Promise<StoredBatch> {
  const batch = await store.find(id);
  if (batch) return batch;
  throw new UsageError(
    `there is no batch '${id}'`,
    'List them with hopline batch list; they are forgotten after a while',
  );
}

async function endOf(store: BatchStore, id: string, terminal: Terminal): Promise<StoredBatch> {
  let batch = await mustFind(store, id);
  const bar = terminal.canDraw ? new SingleBar({ stream: terminal.stderr }, Presets.legacy) : undefined;
  bar?.start(batch.total, batch.total - pendingOf(batch));
  try {
    while (batch.finishedAt === undefined) {
      await pause(systemClock, ASK_EVERY_MS);
      batch = await mustFind(store, id);
      bar?.setTotal(batch.total);
      bar?.update(batch.total - pendingOf(batch));
    }
    return batch;
  } finally {
    bar?.stop();
  }
}

const deadOf = (id: string, flags: TargetFlags, terminal: Terminal): Promise<number> =>
  withDeadLetters(flags, terminal, async ({ failures }) => (await failures.list({ batch: id })).length);

function show(terminal: Terminal, batch: StoredBatch, dead: number | undefined): void {
  const { verdict, unsent } = inWords(batch);
  const fields: [string, string | undefined][] = [
    ['id', batch.id],
    ['name', batch.name],
    ['state', stateOf(batch)],
    ['progress', barOf(batch)],
    ['jobs', numberText(batch.total)],
    ['pending', numberText(pendingOf(batch))],
    ['done', numberText(batch.done)],
    ['failed', `${numberText(batch.failed)}${batch.allowsFailures ? ' (allowed)' : ''}`],
    ['skipped', numberText(batch.skipped)],
    ['dead letters', dead === undefined ? undefined : numberText(dead)],
    ['decided', verdict],
    ['not sent yet', unsent.join(', ') || undefined],
    ['created at', timeText(new Date(batch.createdAt))],
    ['finished at', batch.finishedAt === undefined ? undefined : timeText(new Date(batch.finishedAt))],
  ];
  for (const [name, value] of fields)
    if (value !== undefined) terminal.print(`${name.padEnd(14)}  ${oneLine(value)}`);
}
