import { longString, methodFrame, methodId, readShortString, shortString, uint16, uint32 } from './wire.js';

/** Declare, bind and what undoes them: answered as done. */
const DONE = new Map([
  [methodId(40, 10), [40, 11]], // exchange.declare
  [methodId(40, 20), [40, 21]], // exchange.delete
  [methodId(40, 30), [40, 31]], // exchange.bind
  [methodId(40, 40), [40, 51]], // exchange.unbind
  [methodId(50, 50), [50, 51]], // queue.unbind
  [methodId(60, 110), [60, 111]], // basic.recover
]);

/**
 * A method's arguments begin at 4. Answers are frames, and null is for what is answered by nothing.
 *
 * @typedef {(channel: number, payload: Buffer) => Buffer | null} Answer
 */

/** @type {Map<number, Answer>} */
const ANSWERS = new Map([
  // queue.declare, purge, delete: empty, and nobody consumes.
  [
    methodId(50, 10),
    (channel, payload) => methodFrame(channel, 50, 11, queueName(payload), uint32(0), uint32(0)),
  ],
  [methodId(50, 30), (channel) => methodFrame(channel, 50, 31, uint32(0))],
  [methodId(50, 40), (channel) => methodFrame(channel, 50, 41, uint32(0))],
  // channel.open, flow, close, close-ok
  [methodId(20, 10), (channel) => methodFrame(channel, 20, 11, longString(''))],
  [methodId(20, 20), (channel, payload) => methodFrame(channel, 20, 21, payload.subarray(4, 5))],
  [methodId(20, 40), (channel) => methodFrame(channel, 20, 41)],
  [methodId(20, 41), () => null],
  // basic.get: nothing there
  [methodId(60, 70), (channel) => methodFrame(channel, 60, 72, shortString(''))],
]);

/** @param {Buffer} payload */
function queueName(payload) {
  const { text } = readShortString(payload, 6);
  return shortString(text === '' ? 'amq.gen-null' : text);
}

/**
 * What needs no state.
 *
 * @type {(id: number, channel: number, payload: Buffer) => Buffer | null | undefined}
 */
export function plainAnswer(id, channel, payload) {
  const done = DONE.get(id);
  if (done) return methodFrame(channel, done[0], done[1]);
  const answer = ANSWERS.get(id);
  return answer ? answer(channel, payload) : undefined;
}

/** The broker's word for a channel that did what it may not. @param {number} channel @param {number} code @param {string} text */
export function channelClose(channel, code, text) {
  return methodFrame(channel, 20, 40, uint16(code), shortString(text), uint16(0), uint16(0));
}
