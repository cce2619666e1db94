import { ofSegment, operationPath } from '../addresses.js';
import type { Action } from '../page.js';
import { operationsChanged } from './known.js';

export const stopOperation: Action = {
  path: '/operations/:operation/stop',
  async run({ site, params, by }) {
    const id = ofSegment(params.operation);
    await site.operations.stop(id, by);
    operationsChanged(site);
    return {
      to: operationPath(id),
      say: 'It is asked to stop: letters under way are finished, the others stay.',
    };
  },
};
