import { DurationText } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { Unknown } from '../../ui/figures/unknown.js';
import { ActionForm } from '../../ui/form.js';
import { State } from '../../ui/state.js';
import { countText } from '../../ui/text.js';
import { queuePath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import type { QueueRow } from './model.js';

/** What keeps messages from beginning comes first. */
export function QueueState({ of }: { readonly of: QueueRow }) {
  const { held, openCircuits, paused, consumers, length, suspects } = of;
  if (held)
    return (
      <State tone="bad" title="A retry or a dead letter can't be published: nothing starts until it can.">
        held
      </State>
    );
  if (openCircuits.length > 0)
    return (
      <State tone="bad" title={`The circuit of ${openCircuits.join(', ')} is open: its calls fail.`}>
        circuit open
      </State>
    );
  if (paused) return <State tone="warn">paused</State>;
  if (suspects)
    return (
      <State
        tone="warn"
        title={`${countText(suspects)} of its messages may have crashed a process: they run one at a time.`}
      >
        suspects
      </State>
    );
  if (consumers === 0 && (length ?? 0) > 0) return <State tone="bad">nobody consumes</State>;
  if (consumers === undefined) return <Unknown why="it could not be counted" />;
  if (consumers === 0) return <State tone="quiet">nobody consumes</State>;
  return <State tone="quiet">consumed</State>;
}

/** Time until nothing waits, at the rates of now. */
export function EmptyIn({ of: { length, clearMs } }: { readonly of: QueueRow }) {
  return length === 0 ? <>empty</> : <DurationText value={clearMs} why="it does not get shorter" />;
}

/** `12 of 40`, with those that wait in the processes. */
export function Slots({ of: { slots, running, waiting } }: { readonly of: QueueRow }) {
  if (slots === undefined || running === undefined)
    return <Unknown why="no process that serves it has answered" />;
  const more = waiting ? `, ${countText(waiting)} wait in the processes` : '';
  const text = `${countText(running)} of ${countText(slots)}`;
  return (
    <span class="bar" title={`${text} slots run a message${more}`}>
      <Meter share={slots === 0 ? 0 : running / slots} label={`${text} slots${more}`} />
      <span class="num">{text}</span>
    </span>
  );
}

export interface PauseProps {
  readonly of: QueueRow;
  readonly context: ViewContext;
  /** Page that the form is on. */
  readonly from: 'queues' | 'queue';
}

export const PauseOrResume = ({ of: { queue, paused }, context, from }: PauseProps) =>
  paused ? (
    <ActionForm
      context={context}
      path={`${queuePath(queue)}/resume`}
      label="Resume"
      title={`Resume ${queue}`}
      fields={{ from }}
    />
  ) : (
    <ActionForm
      context={context}
      path={`${queuePath(queue)}/pause`}
      label="Pause"
      title={`Pause ${queue}`}
      fields={{ from }}
      confirm={`No process begins another message of '${queue}' until it is resumed. Running handlers go on to their end.`}
    />
  );
