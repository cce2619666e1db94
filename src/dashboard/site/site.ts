import type { Control } from '../../control/control.js';
import type { Failures } from '../../failures/failures.js';
import type { FailureIndex } from '../../failures/groups/group.js';
import type { Operations } from '../../failures/operations/operation.js';
import type { Finding } from '../../oversight/doctor/finding.js';
import type { Management } from '../../oversight/management/management.js';
import type { BatchStore } from '../../stores/batches.js';
import type { JobStore } from '../../stores/jobs.js';
import type { OutboxStore } from '../../stores/outbox.js';
import type { Names } from '../../topology/names.js';
import type { Clock } from '../../util/clock.js';
import type { SiteLetters } from '../letters/site-letters.js';
import type { CancelledBatch } from './cancel-batch.js';
import type { TopologyFacts } from './reach.js';
import type { Watch } from './seen.js';

/** An application as the pages see it. What it needs of the broker is opened when a page first asks for it. */
export interface Site {
  /** Word of the address: `shop`. */
  readonly id: string;
  readonly title: string;
  /** `rabbit.example.org:5672, vhost '/'`, without credentials. */
  readonly broker: string;
  readonly names: Names;
  readonly clock: Clock;
  readonly watch: Watch;
  readonly index: FailureIndex;
  readonly operations: Operations;
  /** Dead letters and what can be done with them; single ones are read by {@link letters}. @throws ConnectError */
  failures(): Promise<Failures>;
  /** Single dead letters, for pages that show one whole. */
  readonly letters: SiteLetters;
  /** @throws ConnectError, TopologyError where no worker has ever listened */
  control(): Promise<Control>;
  /** Undefined without a management API. */
  readonly management: Management | undefined;
  /** Undefined where no store of jobs was given. */
  readonly jobs: JobStore | undefined;
  /** Undefined where no store of batches was given. */
  readonly batches: BatchStore | undefined;
  /** Cancels a batch of {@link batches} and sends what is due for it. @throws OptionsError without a store; ConnectError */
  cancelBatch(id: string): Promise<CancelledBatch>;
  /** Undefined where no store with an outbox was given. */
  readonly outbox: Pick<OutboxStore, 'backlog'> | undefined;
  /** What is bound to what. @throws ConnectError, ManagementError */
  topology(): Promise<TopologyFacts>;
  /** What doctor finds: of the last minute, since it asks much of the broker. @throws ConnectError */
  examine(): Promise<readonly Finding[]>;
  readonly links: Links;
  close(): Promise<void>;
}

/** Templates of addresses in other tools: `{traceId}`, `{messageId}`, `{correlationId}`, `{queue}` and `{handler}` are filled in. */
export interface Links {
  readonly trace?: string | undefined;
  readonly logs?: string | undefined;
}
