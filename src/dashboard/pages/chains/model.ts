/** A step whose handler runs. */
export interface RunningStep {
  readonly service: string;
  readonly queue: string;
  readonly handler: string;
  readonly messageId: string | undefined;
  readonly attempt: number;
  readonly runningMs: number;
}

/** A step that is a dead letter: its chain waits for its retry. */
export interface DeadStep {
  readonly id: string;
  readonly deadQueue: string;
  readonly handler: string | undefined;
  readonly routingKey: string;
  readonly error: string | undefined;
  /** Milliseconds since 1970. */
  readonly failedAt: number | undefined;
  /** Undefined if its header can't be read. */
  readonly place: StepPlace | undefined;
}

export interface StepPlace {
  /** Number of the step, starting at 1, and of all steps. */
  readonly number: number;
  readonly of: number;
  /** Routing keys of the later steps, the first of them at most. */
  readonly rest: readonly string[];
  /** Later steps that are not in `rest`. */
  readonly more: number;
  /** True if the step was handled, and only the next one could not be sent. */
  readonly isHandled: boolean;
  /** Of a failure step: routing key of the step that was given up. */
  readonly failed: string | undefined;
}

export interface ChainRow {
  readonly id: string;
  readonly running: readonly RunningStep[];
  readonly dead: readonly DeadStep[];
}

/** What a page of chains is told from: both may be incomplete. */
export interface ChainSources {
  /** Why it is not known what runs. */
  readonly problem: string | undefined;
  /** True once the dead letters have been read. */
  readonly isRead: boolean;
  /** True if there are more dead letters than were looked at. */
  readonly isCut: boolean;
}

export interface ChainsModel extends ChainSources {
  readonly text: string;
  /** Those that failed last first, then those that run. */
  readonly chains: readonly ChainRow[];
  /** Chains that were found, of which the first are listed. */
  readonly count: number;
}

export interface ChainModel extends ChainSources {
  readonly chain: ChainRow;
}
