import { hostname } from 'node:os';
import type { Heard } from '../transport/operator-session.js';
import { versionedIn } from '../util/json-shape.js';
import type { ControlAnswer, ProcessIdentity } from './answer.js';
import { type ControlRequest, controlAnswer, controlRequest } from './shapes.js';

/*
 * The protocol between operators and the workers of an application: JSON in messages on the bus itself. A
 * request goes to all workers through the fanout exchange `<prefix>.control`; `replyTo` and `correlationId`
 * lead the answers back through `<prefix>.control.to`. Nothing is stored: a process that isn't connected
 * doesn't get the request.
 */

/** Version of the format. A worker that is asked in another version doesn't answer. */
const VERSION = 1;

/** Encodes a request or an answer as a message body. */
export function encode(content: ControlRequest | ControlAnswer): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, ...content }));
}

/** Undefined for a body of another format: any program may publish here, and versions differ. */
export function decodeRequest({ body }: Heard): ControlRequest | undefined {
  return versionedIn(body, VERSION, controlRequest);
}

/** Undefined for a malformed answer: a faulty service must not keep the other answers from being read. */
export function decodeAnswer({ body }: Heard): ControlAnswer | undefined {
  return versionedIn(body, VERSION, controlAnswer);
}

/** Identity of this process. */
export const processIdentity = (service: string): ProcessIdentity => ({
  service,
  host: hostname(),
  pid: process.pid,
});
