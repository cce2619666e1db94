import type { AckFault, AckSite, Faults, PublishFault, PublishSite } from './faults.js';

type FaultKind = PublishFault | AckFault;

/** Events by which each kind of fault is counted: every publish, those of the service, or acks. */
const COUNTED = {
  'ack-lost': 'acks',
  'ack-lost-late': 'acks',
  'sent-twice': 'publishes',
  'confirm-lost': 'ownPublishes',
  'crash-before-ack': 'acks',
  'crash-after-publish': 'ownPublishes',
  'crash-before-publish': 'ownPublishes',
} as const satisfies Record<FaultKind, keyof Counts>;

export const FAULT_KINDS = Object.keys(COUNTED) as FaultKind[];

/** Number of positions for faults in a run. */
export interface Counts {
  acks: number;
  publishes: number;
  /** Publishes of the service: its handlers' messages, retries and dead letters. */
  ownPublishes: number;
}

/** Number of positions for this kind of fault in a run. */
export const positionsOf = (kind: FaultKind, counts: Counts): number => counts[COUNTED[kind]];

/** One fault: its kind, and its position among those of its kind in the run. */
export interface ScheduledFault {
  readonly kind: FaultKind;
  /** 1 is the first. */
  readonly nth: number;
}

export type Schedule = readonly ScheduledFault[];

/** Example: `ack-lost@2, crash-before-ack@5` */
export const scheduleText = (schedule: Schedule): string =>
  schedule.map(({ kind, nth }) => `${kind}@${nth}`).join(', ');

/** @returns undefined if the text is no schedule */
export function parseSchedule(text: string): Schedule | undefined {
  const faults = text.split(/\s*,\s*/).map((part) => /^([a-z-]+)@([1-9]\d*)$/.exec(part));
  if (!faults.every((match) => match && FAULT_KINDS.includes(match[1] as FaultKind))) return undefined;
  return faults.map((match) => ({ kind: match?.[1] as FaultKind, nth: Number(match?.[2]) }));
}

/** Injects the faults of a schedule into one run, and counts the run's positions. */
export class ScheduledFaults implements Faults {
  readonly counts: Counts = { acks: 0, publishes: 0, ownPublishes: 0 };
  /** Faults whose position was reached. */
  readonly fired: ScheduledFault[] = [];

  constructor(private readonly schedule: Schedule) {}

  onPublish({ by }: PublishSite): PublishFault | undefined {
    this.counts.publishes += 1;
    if (by === 'test') return this.due('publishes') as PublishFault | undefined;
    this.counts.ownPublishes += 1;
    return (this.due('ownPublishes') ?? this.due('publishes')) as PublishFault | undefined;
  }

  onAck(_site: AckSite): AckFault | undefined {
    this.counts.acks += 1;
    return this.due('acks') as AckFault | undefined;
  }

  private due(counted: keyof Counts): FaultKind | undefined {
    const fault = this.schedule.find(
      ({ kind, nth }) => COUNTED[kind] === counted && nth === this.counts[counted],
    );
    if (fault) this.fired.push(fault);
    return fault?.kind;
  }
}
