import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Ways in which a run of a job leaves something outside it. */
export type EffectKind = 'once' | 'publish';

/**
 * What happened, as the process that saw it wrote it down. A run is one beginning of a job's handler; a life, one process of the
 * workers: `worker-1.3`. All times are those of {@link now}.
 */
export type Entry =
  | {
      readonly what: 'began';
      readonly at: number;
      readonly job: number;
      readonly run: string;
      readonly life: string;
      /** Counters of its message, for who looks for the copy that it came with. */
      readonly as?: string;
    }
  /** Its handler has seen that time had passed without it. */
  | {
      readonly what: 'stood still';
      readonly at: number;
      readonly run: string;
      readonly forMs: number;
      readonly isAborted: boolean;
    }
  /** Between `from` and `at`. */
  | {
      readonly what: 'effect';
      readonly at: number;
      readonly from: number;
      readonly run: string;
      readonly kind: EffectKind;
      readonly result: 'made' | 'refused' | 'failed';
    }
  | {
      readonly what: 'ended';
      readonly at: number;
      readonly run: string;
      readonly how: 'done' | 'told to stop' | 'failed';
      readonly why?: string;
    }
  /** Of a worker's bus. */
  | { readonly what: 'message.guarded' | 'handler.leaseLost' | 'channel lost'; readonly at: number }
  /** What a job has published has come to who waits for it. */
  | { readonly what: 'arrived'; readonly at: number; readonly job: number; readonly run: string }
  /** Done to a life, at the latest moment at which it may still have been as before. */
  | { readonly what: 'killed' | 'stopped' | 'continued'; readonly at: number; readonly life: string };

/** Milliseconds of a clock that all processes of the machine share, and that goes on while one of them stands still. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const SUFFIX = '.journal';

/** Where a process writes down what happens. Each entry is with the kernel when `write` returns: a kill forgets none. */
export class Journal {
  private readonly file: number;

  constructor(folder: string, name: string) {
    this.file = openSync(join(folder, `${name}${SUFFIX}`), 'a');
  }

  write(entry: Entry): void {
    writeSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}

/** All entries of all processes, in the order of their times. */
export function readJournals(folder: string): Entry[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  const entries = names.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    // What follows the last line break is empty, or the half that a kill has left.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
  });
  return entries.sort((left, right) => left.at - right.at);
}
