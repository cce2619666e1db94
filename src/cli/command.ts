import type { Command } from 'commander';
import type { FirstProcess } from '../worker/first-process.js';
import type { EarlySignals } from './early-signals.js';
import type { Terminal } from './output/terminal.js';

/** What a command needs of its surroundings. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** What came before it was loaded, if somebody has listened. */
  readonly early?: EarlySignals | undefined;
  /** Of `hopline work`: one of its processes, which waits for its settings. */
  readonly first?: FirstProcess | undefined;
  /** 0 is success, 1 that something failed, 2 that it was called wrongly. */
  exit(code: number): void;
}

/** Gives a command, which has its name and summary already, its arguments, its flags and its action. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

/** What is known of a command before it is chosen: what the help of its group says, and where its code is. */
export interface CommandEntry {
  readonly name: string;
  /** Its arguments, as the help of its group shows them: `<id>`. @default none */
  readonly takes?: string;
  readonly summary: string;
  /** Its group runs it when no command is named. @default false */
  readonly isDefault?: boolean;
  /** Its file in commands/. What only this command needs is loaded with it. */
  load(): Promise<{ readonly define: DefineCommand }>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
}
