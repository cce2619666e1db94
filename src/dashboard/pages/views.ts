import { BatchView } from './batches/batch-view.js';
import { BatchesView } from './batches/view.js';
import { BrokerView } from './broker/view.js';
import { ChainsView, ChainView } from './chains/view.js';
import { DelayedView } from './delayed/view.js';
import { EditView } from './edit/view.js';
import { FailuresView } from './failures/view.js';
import { GroupView } from './group/view.js';
import { HandlerView } from './handlers/handler-view.js';
import { HandlersView } from './handlers/view.js';
import { JobView } from './jobs/job-view.js';
import { JobsView } from './jobs/view.js';
import { MessageView } from './message/view.js';
import { OperationView } from './operation/view.js';
import { OperationsView } from './operations/view.js';
import { OutboxView } from './outbox/view.js';
import { OverviewView } from './overview/view.js';
import { QueueView } from './queues/queue-view.js';
import { QueuesView } from './queues/view.js';
import { RunningView } from './running/view.js';
import { SearchView } from './search/view.js';
import { TopologyView } from './topology/view.js';
import { TrashView } from './trash/view.js';
import type { View } from './view.js';
import { WorkersView } from './workers/view.js';

/** The view of each page, by the page's name: what the browser has of the pages. */
export const VIEWS: Readonly<Record<string, View<never>>> = {
  overview: OverviewView as View<never>,
  failures: FailuresView as View<never>,
  group: GroupView as View<never>,
  message: MessageView as View<never>,
  operations: OperationsView as View<never>,
  operation: OperationView as View<never>,
  search: SearchView as View<never>,
  edit: EditView as View<never>,
  trash: TrashView as View<never>,
  jobs: JobsView as View<never>,
  job: JobView as View<never>,
  batches: BatchesView as View<never>,
  batch: BatchView as View<never>,
  chains: ChainsView as View<never>,
  chain: ChainView as View<never>,
  outbox: OutboxView as View<never>,
  delayed: DelayedView as View<never>,
  workers: WorkersView as View<never>,
  broker: BrokerView as View<never>,
  topology: TopologyView as View<never>,
  running: RunningView as View<never>,
  queues: QueuesView as View<never>,
  queue: QueueView as View<never>,
  handlers: HandlersView as View<never>,
  handler: HandlerView as View<never>,
};
