import type { ControlAnswer } from '../../../control/answer.js';
import { setText } from '../../../control/limit-text.js';
import { rateIn } from '../../../control/rate-in.js';
import { OptionsError } from '../../../errors.js';
import { ofSegment } from '../addresses.js';
import { obeyedBy } from '../answers.js';
import { fieldOf } from '../form-fields.js';
import type { Action, Asked } from '../page.js';
import { handlerPath } from './handler-path.js';

/* The limits of a handler, as the command `hopline limit` changes them. */

const handlerOf = ({ params: { service, queue, handler } }: Pick<Asked, 'params'>) => ({
  service: ofSegment(service),
  queue: ofSegment(queue),
  handler: ofSegment(handler),
});

const setLimits: Action = {
  path: '/handlers/:service/:queue/:handler/limits/set',
  async run({ site, params, form }) {
    const { queue, handler, service } = handlerOf({ params });
    const { limits } = await site.control();
    const result = await limits.set({ handler, queue }, changeIn(form));
    await site.watch.again();
    const say = `${setText(result.changed)} of '${handler}', also in processes that start later, until it is cleared. ${heardBy(result.processes)}`;
    return { to: handlerPath({ service, queue, handler }), say };
  },
};

const clearLimits: Action = {
  path: '/handlers/:service/:queue/:handler/limits/clear',
  async run({ site, params }) {
    const { queue, handler, service } = handlerOf({ params });
    const { limits } = await site.control();
    const { processes } = await limits.clear({ handler, queue });
    await site.watch.again();
    return {
      to: handlerPath({ service, queue, handler }),
      say: `'${handler}' has the limits of its options again. ${heardBy(processes)}`,
    };
  },
};

export const HANDLER_ACTIONS: readonly Action[] = [setLimits, clearLimits];

/** @throws OptionsError */
function changeIn(form: FormData) {
  const [rate, concurrency] = [fieldOf(form, 'rate'), fieldOf(form, 'concurrency')];
  const read = rate ? rateIn(rate) : undefined;
  if (rate && !read)
    throw new OptionsError('limit', [
      'expected the rate to be like 50/1m, so many in any time of this length',
    ]);
  if (concurrency && !/^\d{1,6}$/.test(concurrency))
    throw new OptionsError('limit', ['expected the number of messages at once to be a positive integer']);
  return { rate: read, concurrency: concurrency ? Number(concurrency) : undefined };
}

const heardBy = (processes: readonly ControlAnswer[]): string =>
  processes.length === 0 ? 'None that has it answered.' : obeyedBy(processes);
