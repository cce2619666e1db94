import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKit } from 'hopline/testing';
import { Mailer, NoSuchAddress, SendWelcomeEmail } from './welcome.js';

/** A mail server that is down for a while. */
class MailerWithTrouble extends Mailer {
  trouble: Error | undefined = new Error('451 try again later');

  override async send(): Promise<void> {
    if (this.trouble) throw this.trouble;
  }
}

test('a welcome waits until the mail server is back', async () => {
  const mailer = new MailerWithTrouble();
  const kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, mailer]] });

  await kit.publish('email.welcome', { to: 'ada@example.org' });
  await kit.advance('1m'); // the first attempt, and the one after 30 s
  kit.retried(SendWelcomeEmail).assertTimes(2);

  mailer.trouble = undefined;
  await kit.advance('2m');
  assert.equal(kit.handled(SendWelcomeEmail).assertOnce().attempt, 3);
  await kit.stop();
});

test('a welcome is given up after four tries', async () => {
  const kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, new MailerWithTrouble()]] });

  await kit.publish('email.welcome', { to: 'ada@example.org' });
  await kit.advance('24h');

  const letter = kit.deadLettered(SendWelcomeEmail).assertOnce();
  assert.equal(letter.reason, 'exhausted');
  assert.equal(letter.attempt, 4);
  assert.equal(letter.at, (30 + 120 + 480) * 1000);
  await kit.stop();
});

test('a welcome to nobody is given up at once', async () => {
  const mailer = new MailerWithTrouble();
  mailer.trouble = new NoSuchAddress();
  const kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, mailer]] });

  await kit.publish('email.welcome', { to: 'nobody@example.org' });
  await kit.settled();

  assert.equal(kit.deadLettered(SendWelcomeEmail).assertOnce().reason, 'unrecoverable');
  kit.retried().assertNone();
  await kit.stop();
});
