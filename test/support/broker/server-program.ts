/** What to spawn. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** @param home the folder of the node, or of its cluster */
export type Start = (home: string, args: readonly string[]) => Command;

/** A RabbitMQ that can be run: the scripts that its own distribution brings, and Erlang's port mapper. */
export interface ServerProgram {
  /** Such as `3.10.8`; unknown where the place of its files doesn't tell it. */
  readonly version: string | undefined;
  /** `rabbitmq-server`. */
  readonly server: Start;
  /** `rabbitmqctl`. */
  readonly ctl: Start;
  readonly epmd: Start;
  /** Erlang's `erl_call`; undefined where it is not found. */
  readonly erlCall: Start | undefined;
  /** The folders of all applications that it may load, as it sees them; see {@link quickBoot}. Empty where nobody knows. */
  readonly applications: readonly string[];
}

/** The version, from the name of the folder that packages put it in. */
export const versionIn = (path: string): string | undefined => /rabbitmq_server-([\d.]+)/.exec(path)?.[1];
