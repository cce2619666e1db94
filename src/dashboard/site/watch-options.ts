import type { Rule } from '../../observe/alerts/rules/rule.js';
import type { Management } from '../../oversight/management/management.js';
import type { Transport } from '../../transport/transport.js';
import type { Duration } from '../../util/duration.js';
import type { Logger } from '../../util/logger.js';
import type { Prometheus } from './history/prometheus.js';

/** What is watched, and how often. */
export interface WatchOptions {
  /** Connection to the application's broker. */
  readonly transport: Transport;
  /** @default 'hopline' */
  readonly prefix?: string | undefined;
  /** @default 'hopline' */
  readonly delayPrefix?: string | undefined;
  /** Queues that are looked at whether a worker has told of them or not. @default none */
  readonly queues?: readonly string[];
  /** @default none: what only it knows is not known */
  readonly management?: Management | undefined;
  /** Time that workers have to answer. @default '1s' */
  readonly wait?: Duration;
  /** Time between two looks while nobody follows. @default '5s' */
  readonly every?: Duration;
  /** The same while somebody does. @default '2s' */
  readonly everyWhileFollowed?: Duration;
  /** Asked for what is longer ago than an hour. @default none */
  readonly prometheus?: Prometheus | undefined;
  /** Rules of alerts. @default the default rules, which docs/alerts.md lists */
  readonly rules?: readonly Rule[];
  /** @default standard error */
  readonly log?: Logger;
}
