import type { Command } from 'commander';
import type { FirstProcess } from '../worker/first-process.js';
import type { EarlySignals } from './early-signals.js';
import type { Terminal } from './output/terminal.js';

/** The surroundings of a command: terminal, signals, exit code. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Signals that came before the command was loaded, if somebody has listened. */
  readonly early?: EarlySignals | undefined;
  /** The first process of `hopline work`, which waits for its settings. */
  readonly first?: FirstProcess | undefined;
  /** Sets the exit code: 0 success, 1 something failed, 2 wrong usage. */
  exit(code: number): void;
}

/** Defines a command's arguments, flags and action; name and summary are set already. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

/** A command before it is chosen: its line in the help of its group, and its module. */
export interface CommandEntry {
  readonly name: string;
  /** Arguments as the group's help shows them: `<id>`. @default none */
  readonly takes?: string;
  readonly summary: string;
  /** True if the group runs this command when none is named. @default false */
  readonly isDefault?: boolean;
  /** Loads the command's file in commands/, and with it what only this command needs. */
  load(): Promise<{ readonly define: DefineCommand }>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
}
