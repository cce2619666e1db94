export type StoreKind = 'redis' | 'postgres';

/** One run of the measurement, as its workers are told of it. */
export interface Run {
  /** The broker's nodes, each by way of a proxy. */
  readonly urls: readonly string[];
  /** Prefix of all names of the run, and its database schema. */
  readonly name: string;
  readonly store: StoreKind;
  readonly storeUrl: string;
  /** For journals and logs. */
  readonly folder: string;
  /** Milliseconds that the broker waits for the end of a message. */
  readonly brokerWaitsMs: number;
  readonly jobMs: number;
  readonly leaseMs: number;
  /** Jobs that a worker runs at once. */
  readonly slots: number;
}

/** One process of a worker. */
export interface Life extends Run {
  /** Such as `worker-1.3`, the third process of the first worker. */
  readonly life: string;
}

/** Payload of a job. */
export interface Job {
  readonly job: number;
}

/** Payload of what a job publishes at its end. */
export interface Encoded extends Job {
  readonly run: string;
}

export const QUEUES = (name: string) => ({
  jobs: `${name}.jobs`,
  inbox: `${name}.inbox-jobs`,
  guards: `${name}.guards`,
});

/** With PostgreSQL so many jobs have one that writes in an inbox's transaction. */
export const INBOX_EVERY = 5;

/** Table that these jobs write to. */
export const EFFECTS = 'effects';
