import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { Bus, defineMessage, memory, rabbitmq, staticKeys } from 'hopline';
import { Encrypted, Handles, handlers, Queue } from 'hopline/decorators';

interface Finding {
  readonly patient: string;
  readonly finding: string;
}

// Every publisher encrypts this message.
const reported = defineMessage<Finding>('finding.reported', undefined, { encrypted: true });

@Queue({ name: 'records.findings' })
@Handles(reported)
@Encrypted() // refuses plain messages
class KeepFinding {
  handle({ patient, finding }: Finding): void {
    console.log(`kept for ${patient}: ${finding}`);
  }
}

// 32 bytes in base64, from `openssl rand -base64 32`; the old key decrypts messages that still wait.
const { AMQP_URL, KEY_2025 = newKey(), KEY_2026 = newKey() } = process.env;
const bus = new Bus({
  service: 'records',
  transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory(),
  encryption: { keys: staticKeys({ current: '2026', keys: { '2025': KEY_2025, '2026': KEY_2026 } }) },
  handlers: handlers([KeepFinding]),
});
const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));
const refused = new Promise<void>((resolve) =>
  bus.on('message.deadLettered', ({ reason, error }) => {
    console.log(`${reason}: ${(error as Error).message}`);
    resolve();
  }),
);

await bus.start();
await bus.publish(reported, { patient: 'p-17', finding: 'all is well' });
await bus.publish('finding.reported', { patient: 'p-17', finding: 'slipped in' });
await Promise.all([handled, refused]);
await bus.stop();

function newKey(): string {
  return randomBytes(32).toString('base64');
}
