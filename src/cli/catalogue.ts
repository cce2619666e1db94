import { FAILED } from './catalogue-failed.js';
import { BATCH, JOB, QUEUE } from './catalogue-jobs.js';
import type { CommandEntry, CommandGroup } from './command.js';

const CONTROL: readonly CommandEntry[] = [
  {
    name: 'status',
    summary: 'show the current state of processes, queues and handlers',
    load: () => import('./commands/status.js'),
  },
  {
    name: 'top',
    summary: 'show the status live, until q or Ctrl-C',
    load: () => import('./commands/top.js'),
  },
  {
    name: 'pause',
    takes: '<queue>',
    summary: 'pause a queue: no message begins, now and after restarts',
    load: () => import('./commands/pause.js'),
  },
  {
    name: 'resume',
    takes: '<queue>',
    summary: 'resume a paused queue',
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
    takes: '<id|name>',
    summary: 'take a job back that waits, or fire the signal of the handler that runs a message',
    load: () => import('./commands/cancel.js'),
  },
  {
    name: 'restart',
    takes: '<service>',
    summary: 'replace the workers of a service, one after the other',
    load: () => import('./commands/restart.js'),
  },
];

const LIMIT: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list the limits that operators have set (the default)',
    isDefault: true,
    load: () => import('./commands/limit/list.js'),
  },
  {
    name: 'set',
    takes: '[handler]',
    summary: 'limit how often a handler starts, and how often at once, now and after restarts',
    load: () => import('./commands/limit/set.js'),
  },
  {
    name: 'clear',
    takes: '[handler]',
    summary: 'go back to the limits that a handler has of its own',
    load: () => import('./commands/limit/clear.js'),
  },
];

const MONITOR: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'look at an application until a signal, or once, and tell of what is wrong (the default)',
    isDefault: true,
    load: () => import('./commands/monitor/run.js'),
  },
  {
    name: 'silence',
    takes: '<pattern>',
    summary: 'have the running monitors tell nobody of some alerts for a time',
    load: () => import('./commands/monitor/silence.js'),
  },
  {
    name: 'ack',
    takes: '<pattern>',
    summary: 'end the reminders of some alerts until they get worse or end',
    load: () => import('./commands/monitor/acknowledge.js'),
  },
];

const DASHBOARD: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'serve the dashboard until a signal (the default)',
    isDefault: true,
    load: () => import('./commands/dashboard/serve.js'),
  },
  {
    name: 'user',
    takes: '<name>',
    summary: 'ask for a password, and print the line of the file of users',
    load: () => import('./commands/dashboard/user.js'),
  },
];

const TOPOLOGY: readonly CommandEntry[] = [
  {
    name: 'show',
    summary: 'show the exchanges, queues and bindings of the application, as a tree; needs no broker',
    load: () => import('./commands/topology/show.js'),
  },
  {
    name: 'plan',
    summary: 'show what a start of the application would change in the broker, as a diff; changes nothing',
    load: () => import('./commands/topology/plan.js'),
  },
  {
    name: 'apply',
    summary: "declare what the application wants, so that its processes can run with topology: 'verify'",
    load: () => import('./commands/topology/apply.js'),
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
  {
    name: 'migrate',
    takes: '<queue>',
    summary: "give a queue the type and arguments of the application's options, while it is in use",
    load: () => import('./commands/topology/migrate.js'),
  },
];

const OUTBOX: readonly CommandEntry[] = [
  {
    name: 'relay',
    summary: 'publish the messages of the outbox, until a signal comes',
    load: () => import('./commands/outbox/relay.js'),
  },
  {
    name: 'status',
    summary: 'show the waiting and the refused messages of the outbox',
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
  { name: 'limit', summary: 'limits of handlers, changed while they run', commands: LIMIT },
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
  { name: 'monitor', summary: 'alerts from one place: queues, workers, broker', commands: MONITOR },
  { name: 'dashboard', summary: 'pages of an application: what runs, what has failed', commands: DASHBOARD },
  { name: 'topology', summary: 'the exchanges, queues and rights of the application', commands: TOPOLOGY },
  {
    name: 'adopt',
    summary: 'write TypeScript that consumes the queues that a vhost has already',
    load: () => import('./commands/adopt.js'),
  },
  { name: 'job', summary: 'tracked and named messages: where they are, cancel, replay', commands: JOB },
  { name: 'queue', summary: 'what waits in a queue: look, delete', commands: QUEUE },
  { name: 'batch', summary: 'batches of jobs: progress, cancel, replay', commands: BATCH },
  { name: 'outbox', summary: 'the outbox of transactions: relay, status', commands: OUTBOX },
  { name: 'stores', summary: 'the tables of the stores in PostgreSQL', commands: STORES },
];
