import pino from 'pino';
import type { Terminal } from '../output/terminal.js';

/**
 * The log of `hopline work`: JSON, one object per line, or readable text on a terminal. It contains the
 * workers' output.
 */
export class WorkLog {
  private constructor(readonly logger: pino.Logger) {}

  static async open(terminal: Terminal): Promise<WorkLog> {
    const { stdout } = terminal;
    const stream = stdout.isTTY ? await readable(terminal) : stdout;
    return new WorkLog(pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream));
  }

  /**
   * Logs a line of a worker. A line of JSON with a level, as pino's number or name, keeps the level and its
   * fields.
   */
  line(worker: number, text: string, stream: 'stdout' | 'stderr'): void {
    const entry = entryOf(text);
    const {
      level,
      msg,
      time: _time,
      ...fields
    } = entry ?? { level: stream === 'stdout' ? 'info' : 'error', msg: text };
    this.logger[level]({ ...fields, worker }, msg);
  }
}

/** The readable format is loaded only on a terminal: in a container nobody reads it. */
async function readable({ stdout, env }: Terminal): Promise<pino.DestinationStream> {
  const { prettyFactory } = await import('pino-pretty');
  const colorize = !env.NO_COLOR && env.TERM !== 'dumb';
  const format = prettyFactory({ colorize, ignore: 'pid,hostname' });
  return { write: (line) => void stdout.write(format(line)) };
}

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

interface Entry {
  readonly level: Level;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function labelOf(level: unknown): Level | undefined {
  if (typeof level === 'number') return pino.levels.labels[level] as Level | undefined;
  return typeof level === 'string' && Object.hasOwn(pino.levels.values, level) ? (level as Level) : undefined;
}

function entryOf(text: string): Entry | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const { level, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    const label = labelOf(level);
    return label === undefined ? undefined : { ...fields, level: label, msg: String(msg ?? '') };
  } catch {
    return undefined;
  }
}
