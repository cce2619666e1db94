import type { CommandEntry } from './command.js';

/** Commands on dead letters. */
export const FAILED: readonly CommandEntry[] = [
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
    name: 'groups',
    summary: 'list the groups of dead letters that failed in the same way',
    load: () => import('./commands/failed/groups.js'),
  },
  {
    name: 'mark',
    takes: '<group>',
    summary: 'note of a group, for all operators, that somebody is at it, or that it is mended',
    load: () => import('./commands/failed/mark.js'),
  },
  {
    name: 'retry',
    takes: '[ids...]',
    summary: 'replay dead letters',
    load: () => import('./commands/failed/retry.js'),
  },
  {
    name: 'operations',
    summary: 'list what operators do with dead letters',
    load: () => import('./commands/failed/operations.js'),
  },
  {
    name: 'stop',
    takes: '<operation>',
    summary: 'stop an operation on dead letters, wherever it runs',
    load: () => import('./commands/failed/stop.js'),
  },
  {
    name: 'forget',
    takes: '[ids...]',
    summary: 'delete dead letters for good, or move them into the trash',
    load: () => import('./commands/failed/forget.js'),
  },
  {
    name: 'restore',
    takes: '[ids...]',
    summary: 'bring dead letters of the trash back',
    load: () => import('./commands/failed/restore.js'),
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
