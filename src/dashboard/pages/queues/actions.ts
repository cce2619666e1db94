import type { ControlResult } from '../../../control/results.js';
import { OptionsError } from '../../../errors.js';
import { countText } from '../../../util/text/count-text.js';
import { ofSegment, queuePath } from '../addresses.js';
import { obeyedBy, problemsOf, processesText } from '../answers.js';
import type { Action, Asked } from '../page.js';

/*
 * What an operator does with a queue. The workers are asked over the bus, as the commands `hopline pause`, `resume` and `scale` do.
 */

const queueOf = ({ params }: Pick<Asked, 'params'>): string => ofSegment(params.queue);

/** The page that the form was on. */
const backTo = (form: FormData, queue: string): string =>
  form.get('from') === 'queues' ? '/queues' : queuePath(queue);

export const pauseQueue: Action = {
  path: '/queues/:queue/pause',
  async run({ site, params, form }) {
    const queue = queueOf({ params });
    const control = await site.control();
    const result = await control.pause(queue);
    await site.watch.again();
    const say = `'${queue}' is paused, also for processes that start later, until it is resumed. ${heardBy(result)}`;
    return { to: backTo(form, queue), say };
  },
};

export const resumeQueue: Action = {
  path: '/queues/:queue/resume',
  async run({ site, params, form }) {
    const queue = queueOf({ params });
    const control = await site.control();
    const result = await control.resume(queue);
    await site.watch.again();
    const others = result.pausedBy.filter((name) => name !== queue);
    const say =
      others.length === 0
        ? `'${queue}' is not paused. ${heardBy(result)}`
        : `'${queue}' is still paused by another name: ${others.join(', ')}. Resume that as well.`;
    return { to: backTo(form, queue), say };
  },
};

export const scaleQueue: Action = {
  path: '/queues/:queue/scale',
  async run({ site, params, form }) {
    const queue = queueOf({ params });
    const given = String(form.get('concurrency') ?? '');
    if (!/^\d{1,6}$/.test(given))
      throw new OptionsError('scale', [
        `expected the number of messages at once to be a positive integer, got '${given}'`,
      ]);
    const control = await site.control();
    const result = await control.scale(queue, Number(given));
    await site.watch.again();
    const say = `${countText(Number(given), 'message')} of '${queue}' at once in each process that runs now. ${heardBy(result)}`;
    return { to: backTo(form, queue), say };
  },
};

export const closeCircuit: Action = {
  path: '/queues/:queue/circuits/:handler/close',
  async run({ site, params, form }) {
    const queue = queueOf({ params });
    const handler = ofSegment(params.handler);
    const control = await site.control();
    const answers = await control.resetCircuit(queue, handler);
    await site.watch.again();
    const closed = answers.reduce((sum, { circuitsClosed = 0 }) => sum + circuitsClosed, 0);
    const say =
      closed === 0
        ? `No process that answered has an open circuit of '${handler}'.`
        : `The circuit of '${handler}' is closed in ${processesText(closed)}: its queue goes on.`;
    return { to: backTo(form, queue), say: [say, ...problemsOf(answers)].join(' ') };
  },
};

export const QUEUE_ACTIONS: readonly Action[] = [pauseQueue, resumeQueue, scaleQueue, closeCircuit];

/** Who has heard it, and who has not, as sentences. */
function heardBy({ processes, consumers }: ControlResult): string {
  if (processes.length > 0) return obeyedBy(processes);
  return consumers === 0
    ? 'Nobody consumes it at the moment.'
    : `It has ${countText(consumers, 'consumer')}, and none answered in time: who is busy hears it later.`;
}
