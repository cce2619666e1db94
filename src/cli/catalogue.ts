import type { CommandEntry, CommandGroup } from './command.js';

const FAILED: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list dead letters (the default)',
    isDefault: true,
    load: () => import('./commands/failed/list.js'),
  },
  {
    name: 'show',
    takes: '<id>',
    summary: 'show one dead letter, whole',
    load: () => import('./commands/failed/show.js'),
  },
  {
    name: 'retry',
    takes: '[ids...]',
    summary: 'replay dead letters',
    load: () => import('./commands/failed/retry.js'),
  },
  {
    name: 'forget',
    takes: '[ids...]',
    summary: 'delete dead letters for good',
    load: () => import('./commands/failed/forget.js'),
  },
  {
    name: 'prune',
    summary: 'delete old dead letters for good',
    load: () => import('./commands/failed/prune.js'),
  },
  {
    name: 'flush',
    summary: 'delete everything that lies in the dead-letter queues',
    load: () => import('./commands/failed/flush.js'),
  },
  {
    name: 'export',
    summary: 'write dead letters as NDJSON; they stay where they are',
    load: () => import('./commands/failed/export.js'),
  },
  {
    name: 'import',
    takes: '<file>',
    summary: 'put exported dead letters back into their dead-letter queues',
    load: () => import('./commands/failed/import.js'),
  },
];

const CONTROL: readonly CommandEntry[] = [
  {
    name: 'status',
    summary: 'processes, queues and handlers: what they do just now',
    load: () => import('./commands/status.js'),
  },
  {
    name: 'top',
    summary: 'the status, live, until q or Ctrl-C',
    load: () => import('./commands/top.js'),
  },
  {
    name: 'pause',
    takes: '<queue>',
    summary: 'let no message of a queue begin, now and after restarts',
    load: () => import('./commands/pause.js'),
  },
  {
    name: 'resume',
    takes: '<queue>',
    summary: 'let a paused queue go on',
    load: () => import('./commands/resume.js'),
  },
  {
    name: 'scale',
    takes: '<queue>',
    summary: 'change how many messages of a queue run at once, in each process',
    load: () => import('./commands/scale.js'),
  },
  {
    name: 'cancel',
    takes: '<message-id>',
    summary: 'fire the signal of a handler that runs; its message is dead-lettered',
    load: () => import('./commands/cancel.js'),
  },
  {
    name: 'restart',
    takes: '<service>',
    summary: 'have the workers of a service replaced, one after the other',
    load: () => import('./commands/restart.js'),
  },
];

const TOPOLOGY: readonly CommandEntry[] = [
  {
    name: 'show',
    summary: 'show what the application wants in the broker, as a tree; needs no broker',
    load: () => import('./commands/topology/show.js'),
  },
  {
    name: 'permissions',
    takes: '[app]',
    summary: 'print the rabbitmqctl lines that give an application the rights it needs, and no more',
    load: () => import('./commands/topology/permissions.js'),
  },
  {
    name: 'prune',
    summary:
      'unbind patterns that no handler has any more, and empty and remove queues that older versions have left; when none of them runs',
    load: () => import('./commands/topology/prune.js'),
  },
];

const BATCH: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list batches, the newest first',
    isDefault: true,
    load: () => import('./commands/batch/list.js'),
  },
  {
    name: 'show',
    takes: '<id>',
    summary: 'show how far a batch is',
    load: () => import('./commands/batch/show.js'),
  },
  {
    name: 'cancel',
    takes: '<id>',
    summary: 'cancel a batch: what has not begun is not run, what runs goes on',
    load: () => import('./commands/batch/cancel.js'),
  },
  {
    name: 'retry',
    takes: '<id>',
    summary: 'replay the dead letters of a batch, to the queues they failed in',
    load: () => import('./commands/batch/retry.js'),
  },
];

const OUTBOX: readonly CommandEntry[] = [
  {
    name: 'relay',
    summary: 'publish what lies in the outbox, until a signal comes',
    load: () => import('./commands/outbox/relay.js'),
  },
  {
    name: 'status',
    summary: 'what waits in the outbox, and what was refused',
    load: () => import('./commands/outbox/status.js'),
  },
];

const STORES: readonly CommandEntry[] = [
  {
    name: 'migrate',
    summary: 'make the tables of postgresStores() in PostgreSQL, or bring them up to date',
    load: () => import('./commands/stores/migrate.js'),
  },
];

/** All commands and groups of them, in the order of `hopline --help`. */
export const CATALOGUE: readonly (CommandEntry | CommandGroup)[] = [
  { name: 'failed', summary: 'dead letters: look, replay, forget, carry elsewhere', commands: FAILED },
  {
    name: 'work',
    takes: '[app]',
    summary: "run an application's handlers",
    load: () => import('./commands/work.js'),
  },
  ...CONTROL,
  {
    name: 'publish',
    takes: '<key> [json]',
    summary: 'publish one message',
    load: () => import('./commands/publish.js'),
  },
  {
    name: 'doctor',
    summary:
      'look for what is wrong: alarms, missing queues, no consumers, dead letters, policies, left-overs',
    load: () => import('./commands/doctor.js'),
  },
  { name: 'topology', summary: 'what the application wants in the broker', commands: TOPOLOGY },
  { name: 'batch', summary: 'batches of jobs: how far they are, cancel, replay', commands: BATCH },
  { name: 'outbox', summary: 'what transactions have left to be published', commands: OUTBOX },
  { name: 'stores', summary: 'what stores keep in a database', commands: STORES },
];
