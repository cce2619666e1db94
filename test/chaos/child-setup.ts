import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import type { Logger } from '../../src/index.js';

/** What a publisher or worker of a chaos run is told on its command line. */
export interface ChildOptions {
  /** Through the proxies, which stay when their brokers go. */
  readonly urls: readonly string[];
  /** For the journal and the log. */
  readonly folder: string;
  /** Unique in a run, also among the lives of one child: `worker-1.3`. */
  readonly run: string;
  readonly seed: number;
  /** Messages a second, of a publisher. */
  readonly rate: number;
}

/** Where those of an application are, whose command line is not its own. */
export const CHILD_OPTIONS = 'CHAOS_CHILD_OPTIONS';

export const childOptions = (): ChildOptions =>
  JSON.parse(process.env[CHILD_OPTIONS] ?? process.argv[2] ?? '{}');

/** Exit code of a child that failed where none may. */
export const BROKEN = 70;

/** A log in a file of its own; and whatever nobody catches ends the process with {@link BROKEN}. */
export function openLog({ folder, run }: Pick<ChildOptions, 'folder' | 'run'>): Logger {
  const file = join(folder, `${run}.log`);
  const write = (level: string) => (fields: object, message: string) =>
    appendFileSync(file, `${new Date().toISOString()} ${level} ${message} ${format('%o', fields)}\n`);
  const logger = { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };
  const broken = (what: string) => (error: unknown) => {
    logger.error({ error }, what);
    process.exit(BROKEN);
  };
  process.on('uncaughtException', broken('uncaught exception'));
  // Nobody looks after it any more.
  process.on('disconnect', () => process.exit(BROKEN));
  process.channel?.unref();
  process.on('unhandledRejection', broken('unhandled rejection'));
  return logger;
}

export const CONNECTION = { heartbeat: '2s', connectDeadline: '3s' } as const;
