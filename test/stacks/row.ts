/*
 * A row is what one compiler or runner makes of one kind of decorators in one set-up. The table that `npm run test:package` prints, and
 * those of docs/setting-up.md, are made of rows, and each row is run.
 */

/** What runs the compiler, and then the program. */
export const RUNTIMES = ['Node 20', 'Node 22', 'Node 24', 'Bun'] as const;
export type Runtime = (typeof RUNTIMES)[number];

const NODES = RUNTIMES.filter((runtime) => runtime !== 'Bun');

/**
 * How a program says what handles its messages: by TypeScript's legacy decorators, where the compiler tells the types of the
 * constructor's parameters (`types`), or a class names its dependencies (`named`); by standard decorators, TC39's, where it always
 * names them (`standard`); or without any that the compiler sees (`none`).
 */
export type Kind = 'types' | 'named' | 'standard' | 'none';

/** The sources of an application: see the folder `programs`. */
export type Program = 'constructor-types' | 'named-dependencies' | 'without-decorators' | 'plain-javascript';

/** What is known not to work, and what is said then. */
export interface Failure {
  /** The step that ends with an exit code above 0. */
  readonly step: 'build' | 'run';
  /** Part of what it has written. */
  readonly says: string;
}

export interface Row {
  /** With the version, as tables call it. */
  readonly tool: string;
  readonly kind: Kind;
  readonly program: Program;
  /** What a user sets for it, as Markdown; the files below have it. */
  readonly set: string;
  /** Of the application's folder, beside its sources in `src`. An object is written as JSON. */
  readonly files?: Readonly<Record<string, string | object>>;
  /**
   * A shell line in the application's folder. `$TOOLS` is the folder of installed tools, `$ENTRIES` are the sources that are run,
   * `$PACKAGES` is what is installed: Hopline, and what users install beside it.
   *
   * @default nothing is built
   */
  readonly build?: string;
  /** The same. `$PROGRAM` is the name of a source without its ending. */
  readonly run: string;
  /** What is run is a test, `program.test.ts`, under a test runner. @default false */
  readonly isTest?: boolean;
  /** Without `"type": "module"` in package.json. @default false */
  readonly isCommonJs?: boolean;
  /** Which tools: `older` are versions that people still have. @default 'newest' */
  readonly tools?: 'newest' | 'older';
  /** What the tool itself runs on. @default all versions of Node.js */
  readonly on?: readonly Runtime[];
  /** What doesn't work, on all or on some. @default everything works */
  readonly fails?: Failure | Readonly<Partial<Record<Runtime, Failure>>>;
  /** About something else than a compiler: not in the guide's table. @default false */
  readonly isAside?: boolean;
  /** A mistake in setting up rather than a limit of the tool: what the message means, as Markdown. */
  readonly means?: string;
}

/** What `--only` looks into, and what reports call the row. */
export function nameOf({ tool, kind, set }: Row): string {
  return `${tool}, ${kind}: ${set}`;
}

export function runtimesOf({ on = NODES }: Row): readonly Runtime[] {
  return on;
}

/** What is known not to work on this runtime. */
export function failureOf({ fails }: Row, runtime: Runtime): Failure | undefined {
  if (fails === undefined) return undefined;
  return isFailure(fails) ? fails : fails[runtime];
}

function isFailure(fails: NonNullable<Row['fails']>): fails is Failure {
  return 'step' in fails;
}

/** What is run, by the names of their sources. */
export function entriesOf(row: Row): readonly Entry[] {
  if (row.isTest) return ['program.test'];
  return hasQuickStart(row) ? ['main', 'quick-start'] : ['main'];
}

export type Entry = 'main' | 'quick-start' | 'program.test';

/** Whether the quick start of the README is built and run, too: it stands in an ES module, and has decorators. */
function hasQuickStart({ kind, isCommonJs }: Row): boolean {
  return kind !== 'none' && !isCommonJs;
}
