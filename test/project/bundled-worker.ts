import 'reflect-metadata';
import { Bus, memory } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';

/*
 * A worker that bundles.test.ts bundles. It starts on a broker of its own, handles one message, and says by which queue.
 */

class Mailer {
  readonly sent: string[] = [];

  send(to: string): void {
    this.sent.push(to);
  }
}

/** Named after the class, in whose name its tool has the last word. */
@Handles('email.welcome')
class SendWelcomeEmail {
  constructor(private readonly mailer: Mailer) {}

  handle({ to }: { to: string }): void {
    this.mailer.send(to);
  }
}

@Handles('email.welcome')
@Queue({ name: 'mailer.welcome' })
class SendNamedEmail {
  constructor(private readonly mailer: Mailer) {}

  handle({ to }: { to: string }): void {
    this.mailer.send(to);
  }
}

async function main(): Promise<void> {
  const target = process.argv[2] === 'named' ? SendNamedEmail : SendWelcomeEmail;
  const bus = new Bus({ service: 'mailer', transport: memory(), handlers: handlers([target]) });
  const handled = new Promise<string>((resolve) =>
    bus.on('handler.succeeded', ({ queue }) => resolve(queue)),
  );
  await bus.start();
  await bus.send('email.welcome', { to: 'ada@example.org' });
  process.stdout.write(`${await handled}\n`);
  await bus.stop();
}

main().catch((error: Error) => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 2;
});
