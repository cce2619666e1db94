import { OptionsError } from '../../../errors.js';
import type { Action } from '../page.js';

/** Fires the signal of the handler that runs a message, as `hopline cancel` does. */
export const cancelMessage: Action = {
  path: '/running/cancel',
  async run({ site, form }) {
    const messageId = String(form.get('message') ?? '');
    if (messageId === '') throw new OptionsError('cancel', ['expected the id of a message, got none']);
    const control = await site.control();
    const processes = await control.cancel(messageId);
    const where = processes.map(({ service, host, pid }) => `${service} on ${host}, process ${pid}`);
    const say =
      where.length === 0
        ? `No handler runs message '${messageId}' any more, or its process did not answer in time.`
        : `The signal of message '${messageId}' was fired: ${where.join('; ')}. A handler that ignores it goes on.`;
    return { to: '/running', say };
  },
};

export const RUNNING_ACTIONS: readonly Action[] = [cancelMessage];
