import { bus } from './app.js';

await bus.runUntilSignal();
