import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKit } from 'hopline/testing';
import { Mailer, SendWelcomeEmail } from './welcome.js';

class FakeMailer extends Mailer {
  readonly sent: string[] = [];

  override async send(to: string): Promise<void> {
    this.sent.push(to);
  }
}

test('a welcome is sent, and told', async () => {
  const mailer = new FakeMailer();
  const kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, mailer]] });

  await kit.publish('email.welcome', { to: 'ada@example.org' });
  await kit.settled();

  assert.deepEqual(mailer.sent, ['ada@example.org']);
  kit.handled(SendWelcomeEmail).assertOnce();
  kit.published('email.sent').with({ to: 'ada@example.org' }).assertOnce();
  kit.deadLettered().assertNone();
  await kit.stop();
});
