import { hostname } from 'node:os';
import type { ConsumingStatus } from '../consume/status.js';
import type { Heard } from '../transport/transport.js';
import { isAnswer, isCount, isText, isTextOrNone } from './shapes.js';

/*
 * What an operator says to the workers of an application, and what they answer: JSON in messages on the bus itself. A
 * request goes to all through the fanout exchange `<prefix>.control`; `replyTo` and `correlationId` lead the answers back
 * through `<prefix>.control.to`. Nothing of it is kept: who isn't there doesn't hear it.
 */

/** Of this format. Who is asked in another one doesn't answer. */
const VERSION = 1;

export type ControlRequest =
  /** How are you? To one service, or to all. */
  | { readonly ask: 'status'; readonly service?: string | undefined }
  /** Have yourself replaced by a fresh process. */
  | { readonly ask: 'restart'; readonly service: string }
  /** These queues are paused from now on, and no others. `queue` is the one that has changed: who serves it answers. */
  | { readonly ask: 'pauses'; readonly paused: readonly string[]; readonly queue: string }
  /** So many messages of a queue at once. */
  | { readonly ask: 'scale'; readonly queue: string; readonly concurrency: number }
  /** Fire the signal of this message's handler. */
  | { readonly ask: 'cancel'; readonly messageId: string };

/** Which process an answer comes from. */
export interface Respondent {
  readonly service: string;
  readonly host: string;
  readonly pid: number;
}

/** What one bus answers. */
export interface ControlAnswer extends Respondent {
  /** Why it did not do what it was asked for. */
  readonly problem?: string | undefined;
  /** To `status`. */
  readonly status?: ProcessStatus | undefined;
  /** To `pauses`: by which names the queue, or some of its lanes, are paused here now. */
  readonly pausedBy?: readonly string[] | undefined;
  /** To `cancel`: handlers whose signal fired. */
  readonly cancelled?: number | undefined;
}

/** How one process is. */
export interface ProcessStatus extends ConsumingStatus {
  /** Of the bus: `starting`, `started` or `stopping`. */
  readonly state: string;
  /** It is replaced by a fresh one when it is asked to, and when it ends. */
  readonly supervised: boolean;
  /** Since the bus was started. */
  readonly uptimeMs: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
  /** How long its event loop was kept from its work at worst, in the last 5 to 10 s. */
  readonly lagMs: number | undefined;
}

/** As the body of a message. */
export function encode(content: ControlRequest | ControlAnswer): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, ...content }));
}

/** Undefined for what isn't of this format: anybody may publish, and versions differ. */
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

/** The same for an answer: a service that answers what it likes must not keep the others' answers from being read. */
export function decodeAnswer({ body }: Heard): ControlAnswer | undefined {
  const content = decode(body);
  return isAnswer(content) ? (content as unknown as ControlAnswer) : undefined;
}

/** This process, as it answers. */
export const respondent = (service: string): Respondent => ({ service, host: hostname(), pid: process.pid });

function decode(body: Buffer): Record<string, unknown> | undefined {
  try {
    const content: unknown = JSON.parse(body.toString());
    const isOurs = typeof content === 'object' && content !== null && 'version' in content;
    return isOurs && content.version === VERSION ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
