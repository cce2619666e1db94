import { cancelBatch, retryBatch } from './batches/actions.js';
import { batch, batches } from './batches/page.js';
import { broker } from './broker/page.js';
import { chain, chains } from './chains/page.js';
import { delayed } from './delayed/page.js';
import { retryEdited } from './edit/actions.js';
import { edit } from './edit/page.js';
import { readAgain } from './failures/actions.js';
import { failures } from './failures/page.js';
import { GROUP_ACTIONS } from './group/actions.js';
import { group } from './group/page.js';
import { HANDLER_ACTIONS } from './handlers/actions.js';
import { handler, handlers } from './handlers/page.js';
import { cancelJob, retryJob } from './jobs/actions.js';
import { job, jobs } from './jobs/page.js';
import { forgetMessage, retryMessage } from './message/actions.js';
import { message } from './message/page.js';
import { operation } from './operation/page.js';
import { stopOperation } from './operations/actions.js';
import { operations } from './operations/page.js';
import { outbox } from './outbox/page.js';
import { overview } from './overview/page.js';
import type { Action, Page } from './page.js';
import { QUEUE_ACTIONS } from './queues/actions.js';
import { queue, queues } from './queues/page.js';
import { RUNNING_ACTIONS } from './running/actions.js';
import { running } from './running/page.js';
import { search } from './search/page.js';
import { topology } from './topology/page.js';
import { restoreAll, restoreSelected } from './trash/actions.js';
import { trash } from './trash/page.js';
import { restartService } from './workers/actions.js';
import { workers } from './workers/page.js';

/** All pages, in the order of the navigation. */
export const PAGES: readonly Page<never>[] = [
  ...[overview, running, queues, queue, handlers, handler],
  ...[failures, group, message, edit, operations, operation, trash, search],
  ...[jobs, job, batches, batch, chains, chain, outbox, delayed],
  ...[workers, broker, topology],
] as readonly Page<unknown>[] as readonly Page<never>[];

/** All actions of all pages. */
export const ACTIONS: readonly Action[] = [
  ...QUEUE_ACTIONS,
  ...HANDLER_ACTIONS,
  ...RUNNING_ACTIONS,
  ...GROUP_ACTIONS,
  ...[readAgain, retryMessage, forgetMessage, retryEdited, stopOperation, restoreSelected, restoreAll],
  ...[cancelJob, retryJob, cancelBatch, retryBatch, restartService],
];
