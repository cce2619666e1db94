import { hostname } from 'node:os';
import type { ConsumingStatus } from '../consume/report/status.js';
import type { Heard } from '../transport/transport.js';
import { isAnswer, isCount, isText, isTextOrNone } from './shapes.js';

/*
 * The protocol between operators and the workers of an application: JSON in messages on the bus itself. A
 * request goes to all workers through the fanout exchange `<prefix>.control`; `replyTo` and `correlationId`
 * lead the answers back through `<prefix>.control.to`. Nothing is stored: a process that isn't connected
 * doesn't get the request.
 */

/** Version of the format. A worker that is asked in another version doesn't answer. */
const VERSION = 1;

export type ControlRequest =
  /** Asks for the status, of one service or of all. */
  | { readonly ask: 'status'; readonly service?: string | undefined }
  /** Asks each process of a service to be replaced by a fresh one. */
  | { readonly ask: 'restart'; readonly service: string }
  /**
   * The complete list of paused queues from now on. The processes that serve `queue`, the one that has changed,
   * answer.
   */
  | { readonly ask: 'pauses'; readonly paused: readonly string[]; readonly queue: string }
  /** Sets how many messages of a queue are handled at once. */
  | { readonly ask: 'scale'; readonly queue: string; readonly concurrency: number }
  /** Fires the signal of this message's handler. */
  | { readonly ask: 'cancel'; readonly messageId: string };

/** Identity of the process that answers. */
export interface ProcessIdentity {
  readonly service: string;
  readonly host: string;
  readonly pid: number;
}

/** Answer of one bus. */
export interface ControlAnswer extends ProcessIdentity {
  /** Reason why the request was not obeyed. */
  readonly problem?: string | undefined;
  /** For `status`. */
  readonly status?: ProcessStatus | undefined;
  /** For `pauses`: names under which the queue or some of its lanes are paused in this process now. */
  readonly pausedBy?: readonly string[] | undefined;
  /** For `cancel`: number of handlers whose signal fired. */
  readonly cancelled?: number | undefined;
}

/** Status of one process. */
export interface ProcessStatus extends ConsumingStatus {
  /** State of the bus: `starting`, `started` or `stopping`. */
  readonly state: string;
  /** True if a supervisor replaces the process on request, and when it ends. */
  readonly supervised: boolean;
  /** Time since the bus was started. */
  readonly uptimeMs: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
  /** Longest delay of the event loop within the last 5 to 10 s. */
  readonly lagMs: number | undefined;
}

/** Encodes a request or an answer as a message body. */
export function encode(content: ControlRequest | ControlAnswer): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, ...content }));
}

/** Undefined for a body of another format: any program may publish here, and versions differ. */
export function decodeRequest({ body }: Heard): ControlRequest | undefined {
  const content = decode(body);
  if (!content) return undefined;
  const { ask, service, queue, paused, concurrency, messageId } = content;
  switch (ask) {
    case 'status':
      return isTextOrNone(service) ? { ask, service } : undefined;
    case 'restart':
      return isText(service) ? { ask, service } : undefined;
    case 'pauses':
      return isText(queue) && Array.isArray(paused) && paused.every(isText)
        ? { ask, queue, paused }
        : undefined;
    case 'scale':
      return isText(queue) && isCount(concurrency) ? { ask, queue, concurrency } : undefined;
    case 'cancel':
      return isText(messageId) ? { ask, messageId } : undefined;
    default:
      return undefined;
  }
}

/** Undefined for a malformed answer: a faulty service must not keep the other answers from being read. */
export function decodeAnswer({ body }: Heard): ControlAnswer | undefined {
  const content = decode(body);
  return isAnswer(content) ? (content as unknown as ControlAnswer) : undefined;
}

/** Identity of this process. */
export const processIdentity = (service: string): ProcessIdentity => ({
  service,
  host: hostname(),
  pid: process.pid,
});

function decode(body: Buffer): Record<string, unknown> | undefined {
  try {
    const content: unknown = JSON.parse(body.toString());
    const isOurs = typeof content === 'object' && content !== null && 'version' in content;
    return isOurs && content.version === VERSION ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
