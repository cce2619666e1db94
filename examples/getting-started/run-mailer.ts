import { bus } from './mailer.js';

await bus.runUntilSignal();
