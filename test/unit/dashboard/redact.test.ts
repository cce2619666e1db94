import { ok } from 'node:assert';
import { Redaction } from '../../../src/dashboard/letters/redaction.js';
import { dashboardSettings } from '../../../src/dashboard/settings.js';
import { memory } from '../../../src/index.js';

describe('the option redact', () => {
  it('adds names to those that are always hidden', () => {
    const { redact } = dashboardSettings({ transport: memory(), redact: ['customerName'] });
    const redaction = new Redaction(redact);
    for (const name of ['customer_name', 'password', 'access_token']) ok(redaction.hides(name), name);
  });
});
