import type { SeenProcess } from '../../site/seen.js';
import type { ServiceRow, WorkerRow } from './model.js';

export function workerRow(process: SeenProcess): WorkerRow {
  const { service, host, pid, version, state, supervised, uptimeMs, memory, lagMs, slotGroups } = process;
  const sum = (count: (group: (typeof slotGroups)[number]) => number) =>
    slotGroups.reduce((total, group) => total + count(group), 0);
  return {
    ...{ service, host, pid, version, state, supervised, uptimeMs, memory, lagMs },
    slots: sum(({ slots }) => slots),
    running: sum(({ running }) => running),
    waiting: sum(({ waiting }) => waiting),
    held: slotGroups.flatMap(({ held, queues }) => (held ? queues : [])),
  };
}

/** Services by name, with the figures of all their processes. */
export function serviceRows(workers: readonly WorkerRow[]): readonly ServiceRow[] {
  const names = [...new Set(workers.map(({ service }) => service))].sort();
  return names.map((service) => {
    const its = workers.filter((worker) => worker.service === service);
    return {
      service,
      processes: its.length,
      supervised: its.filter(({ supervised }) => supervised).length,
      versions: versionsOf(its),
      slots: its.reduce((sum, { slots }) => sum + slots, 0),
      running: its.reduce((sum, { running }) => sum + running, 0),
      memory: its.reduce((sum, { memory }) => sum + memory, 0),
    };
  });
}

function versionsOf(workers: readonly WorkerRow[]): ServiceRow['versions'] {
  return [...new Set(workers.map(({ version }) => version))]
    .map((version) => ({
      version,
      processes: workers.filter((worker) => worker.version === version).length,
    }))
    .sort((one, other) => other.processes - one.processes);
}
