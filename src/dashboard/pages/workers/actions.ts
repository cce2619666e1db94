import { countText } from '../../../util/text/count-text.js';
import { ofSegment } from '../addresses.js';
import type { Action } from '../page.js';

/** Has all processes of a service replaced, one after the other, so that some consume at any time. */
export const restartService: Action = {
  path: '/workers/:service/restart',
  async run({ site, params }) {
    const service = ofSegment(params.service);
    const answers = await (await site.control()).restart(service);
    const refused = answers.filter(({ problem }) => problem !== undefined);
    const taken = answers.length - refused.length;
    if (answers.length === 0)
      return {
        to: '/workers',
        say: `No process of service '${service}' has answered: nothing is restarted.`,
      };
    const said = [
      taken === 0
        ? `No process of '${service}' is replaced.`
        : `${countText(taken, 'process').replace(/processs$/, 'processes')} of '${service}' will be replaced, one after the other on each machine.`,
      ...refused.slice(0, 5).map(({ host, pid, problem }) => `${host} ${pid}: ${problem}.`),
      ...(refused.length > 5 ? [`${refused.length - 5} more answered like that.`] : []),
    ];
    return { to: '/workers', say: said.join(' ') };
  },
};
