import type { CommandEntry } from './command.js';

/** Commands on jobs. */
export const JOB: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list jobs, the newest first (the default)',
    isDefault: true,
    load: () => import('./commands/job/list.js'),
  },
  {
    name: 'show',
    takes: '<id|name>',
    summary: 'show where a job is, and what it has come to',
    load: () => import('./commands/job/show.js'),
  },
  {
    name: 'cancel',
    takes: '<id|name>',
    summary: 'take a job back that waits; one that runs goes on',
    load: () => import('./commands/job/cancel.js'),
  },
  {
    name: 'retry',
    takes: '<id|name>',
    summary: 'replay the dead letter of a job',
    load: () => import('./commands/job/retry.js'),
  },
];

/** Commands on what waits in a queue. */
export const QUEUE: readonly CommandEntry[] = [
  {
    name: 'peek',
    takes: '<queue>',
    summary: 'show the first messages that wait in a queue; they stay, and it counts as no delivery',
    load: () => import('./commands/queue/peek.js'),
  },
  {
    name: 'purge',
    takes: '<queue>',
    summary: 'delete all messages that wait in a queue',
    load: () => import('./commands/queue/purge.js'),
  },
];

/** Commands on batches. */
export const BATCH: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list batches, the newest first',
    isDefault: true,
    load: () => import('./commands/batch/list.js'),
  },
  {
    name: 'show',
    takes: '<id>',
    summary: 'show the progress of a batch',
    load: () => import('./commands/batch/show.js'),
  },
  {
    name: 'cancel',
    takes: '<id>',
    summary: 'cancel a batch: jobs that have not begun are skipped, running ones go on',
    load: () => import('./commands/batch/cancel.js'),
  },
  {
    name: 'retry',
    takes: '<id>',
    summary: 'replay the dead letters of a batch, to the queues they failed in',
    load: () => import('./commands/batch/retry.js'),
  },
];
