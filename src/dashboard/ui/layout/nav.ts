/** A page as the navigation shows it. */
export interface NavEntry {
  readonly label: string;
  /** Pages that belong together. */
  readonly group: NavGroup;
  /** After `g`, goes there. */
  readonly key: string;
}

export type NavGroup = 'Now' | 'Trouble' | 'Work' | 'System';

export const NAV_GROUPS: readonly NavGroup[] = ['Now', 'Trouble', 'Work', 'System'];

/** The pages of the navigation, by the page's name; the others are reached from these. */
export const NAV: Readonly<Record<string, NavEntry>> = {
  overview: { label: 'Overview', group: 'Now', key: 'o' },
  running: { label: 'Running', group: 'Now', key: 'r' },
  queues: { label: 'Queues', group: 'Now', key: 'q' },
  handlers: { label: 'Handlers', group: 'Now', key: 'h' },
  failures: { label: 'Failures', group: 'Trouble', key: 'f' },
  operations: { label: 'Operations', group: 'Trouble', key: 'p' },
  trash: { label: 'Trash', group: 'Trouble', key: 't' },
  search: { label: 'Search', group: 'Trouble', key: 's' },
  jobs: { label: 'Jobs', group: 'Work', key: 'j' },
  batches: { label: 'Batches', group: 'Work', key: 'b' },
  chains: { label: 'Chains', group: 'Work', key: 'c' },
  outbox: { label: 'Outbox', group: 'Work', key: 'x' },
  delayed: { label: 'Delayed', group: 'Work', key: 'd' },
  workers: { label: 'Workers', group: 'System', key: 'w' },
  broker: { label: 'Broker', group: 'System', key: 'k' },
  topology: { label: 'Topology', group: 'System', key: 'y' },
};
