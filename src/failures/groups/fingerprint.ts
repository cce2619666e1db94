import { createHash } from 'node:crypto';
import { workQueueOf } from '../../topology/names.js';
import { messageShape, nameShape } from './fingerprint/message-shape.js';
import { placeIn } from './fingerprint/place.js';
import type { Fingerprint } from './group.js';

/** What is known of a failure, as far as a dead letter tells. */
export interface Failure {
  /** Class and message of what was thrown, `TypeError: no such thing`; undefined if nothing was. */
  readonly error: string | undefined;
  readonly stack: string | undefined;
  readonly reason: string;
  readonly handler: string | undefined;
  readonly routingKey: string;
  /** Queue in which it failed, also a lane's. */
  readonly queue: string | undefined;
  readonly deadQueue: string;
}

/** Part of each id: whoever changes what counts as the same raises it. */
const VERSION = 1;
const MOST_CLASS = 120;

/** A class's name, with those of its packages and its code: `TypeError`, `System.IO.IOException`, `org.shop.NotFound`. */
const CLASS = /^([A-Za-z_$][\w$.+`-]{0,199})(?: \[([\w-]{1,80})\])?: ?/;

/**
 * What a failure has in common with others of its kind. Pure, and of bounded cost for texts of any length; the same input has the same
 * result in every process.
 */
export function fingerprintOf(failure: Failure): Fingerprint {
  const { error, reason } = failure;
  const [head = '', name] = (error === undefined ? undefined : CLASS.exec(error)) ?? [];
  const kind = (name ?? (error?.startsWith('threw ') ? 'threw' : reason)).slice(0, MOST_CLASS);
  const parts = {
    kind,
    message: error === undefined ? '' : messageShape(textOf(error, head)),
    place: placeIn(failure.stack),
    handler: failure.handler ?? nameShape(failure.routingKey),
    queue: queueOf(failure),
  };
  const { message, place, handler, queue } = parts;
  const told = JSON.stringify([VERSION, kind, message, place ?? null, handler, queue]);
  return { id: createHash('sha256').update(told).digest('hex').slice(0, 12), ...parts };
}

function textOf(error: string, head: string): string {
  return head === '' && error.startsWith('threw ') ? error.slice('threw '.length) : error.slice(head.length);
}

/** The lanes of a queue share its dead letters, and fail in the same way. */
function queueOf({ queue, deadQueue }: Failure): string {
  const work = workQueueOf(deadQueue);
  return work === deadQueue ? (queue ?? deadQueue) : work;
}
