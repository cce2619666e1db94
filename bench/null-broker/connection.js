import { NullChannel } from './channel.js';
import { FrameReader } from './frame-reader.js';
import { OPEN_OK, START, TUNE } from './handshake.js';
import { channelClose, plainAnswer } from './methods.js';
import { FRAME, frame, methodFrame, methodId, readShortString, readUint64, shortString } from './wire.js';

const HEARTBEAT = frame(FRAME.heartbeat, 0, Buffer.alloc(0));

const METHOD = {
  startOk: methodId(10, 11),
  tuneOk: methodId(10, 31),
  open: methodId(10, 40),
  close: methodId(10, 50),
  closeOk: methodId(10, 51),
  channelOpen: methodId(20, 10),
  queueBind: methodId(50, 20),
  qos: methodId(60, 10),
  consume: methodId(60, 20),
  cancel: methodId(60, 30),
  publish: methodId(60, 40),
  ack: methodId(60, 80),
  reject: methodId(60, 90),
  nack: methodId(60, 120),
  confirmSelect: methodId(85, 10),
};

/** One client. Whatever a chunk of its bytes asks for is answered in one write. */
export class NullConnection {
  /** @type {Map<number, NullChannel>} */
  #channels = new Map();
  /** @type {Buffer[]} */
  #out = [];
  #tags = 0;
  #blocked = false;

  /** @param {import('node:net').Socket} socket @param {import('./server.js').World} world */
  constructor(socket, world) {
    this.socket = socket;
    this.world = world;
    const reader = new FrameReader(
      (type, channel, payload) => this.#onFrame(type, channel, payload),
      () => this.#out.push(START),
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      reader.read(chunk);
      this.#turn();
    });
    socket.on('drain', () => {
      this.#blocked = false;
      this.#turn();
    });
    socket.on('error', () => socket.destroy());
  }

  #turn() {
    let greedy = false;
    for (const channel of this.#channels.values()) {
      const confirm = channel.takeConfirm();
      if (confirm) this.#out.push(confirm);
      if (channel.consumers.size === 0 || this.#blocked) continue;
      this.#out.push(...channel.takeDeliveries());
      greedy ||= channel.isGreedy;
    }
    if (this.#out.length === 0 || this.socket.destroyed) return;
    const bytes = this.#out.length === 1 ? this.#out[0] : Buffer.concat(this.#out);
    this.#out = [];
    this.#blocked = !this.socket.write(bytes);
    if (greedy && !this.#blocked) setImmediate(() => this.#turn());
  }

  /** @param {number} type @param {number} number @param {Buffer} payload */
  #onFrame(type, number, payload) {
    if (type === FRAME.heartbeat) {
      this.#out.push(HEARTBEAT);
      return;
    }
    if (type === FRAME.method) {
      this.#onMethod(payload.readUInt16BE(0) * 65_536 + payload.readUInt16BE(2), number, payload);
      return;
    }
    const channel = this.#channels.get(number);
    if (!channel) return;
    if (type === FRAME.header) channel.missingBytes = readUint64(payload, 4);
    else channel.missingBytes -= payload.length;
    if (channel.missingBytes === 0) channel.published += 1;
  }

  /** @param {number} id @param {number} number @param {Buffer} payload */
  #onMethod(id, number, payload) {
    if (id === METHOD.publish) return;
    if (number === 0) {
      this.#onConnectionMethod(id);
      return;
    }
    if (id === METHOD.channelOpen) this.#channels.set(number, new NullChannel(number));
    if (id === METHOD.queueBind) this.#bind(payload);
    const answer = plainAnswer(id, number, payload);
    if (answer === null) return;
    if (answer) this.#out.push(answer);
    else if (id === METHOD.queueBind) this.#out.push(methodFrame(number, 50, 21));
    else this.#onChannelMethod(id, this.#channels.get(number), payload);
    if (id === methodId(20, 40)) this.#channels.delete(number);
  }

  /** @param {number} id */
  #onConnectionMethod(id) {
    if (id === METHOD.startOk) this.#out.push(TUNE);
    if (id === METHOD.open) this.#out.push(OPEN_OK);
    if (id === METHOD.close) {
      this.#channels.clear();
      this.socket.end(methodFrame(0, 10, 51));
    }
  }

  /** @param {number} id @param {NullChannel | undefined} channel @param {Buffer} payload */
  #onChannelMethod(id, channel, payload) {
    if (!channel) return;
    switch (id) {
      case METHOD.ack:
      case METHOD.nack:
        return this.#settle(channel, readUint64(payload, 4), (payload[12] & 1) === 1);
      case METHOD.reject:
        return this.#settle(channel, readUint64(payload, 4), false);
      case METHOD.qos:
        channel.prefetch = payload.readUInt16BE(8);
        this.#out.push(methodFrame(channel.number, 60, 11));
        return;
      case METHOD.confirmSelect:
        channel.confirms = true;
        this.#out.push(methodFrame(channel.number, 85, 11));
        return;
      case METHOD.consume:
        return this.#consume(channel, payload);
      case METHOD.cancel: {
        const { text } = readShortString(payload, 4);
        channel.consumers.delete(text);
        this.#out.push(methodFrame(channel.number, 60, 31, shortString(text)));
        return;
      }
      default:
        this.#out.push(channelClose(channel.number, 540, `NOT_IMPLEMENTED - method ${id}`));
        this.#channels.delete(channel.number);
    }
  }

  /** @param {NullChannel} channel @param {number} tag @param {boolean} multiple */
  #settle(channel, tag, multiple) {
    if (channel.settle(tag, multiple)) return;
    this.#out.push(channelClose(channel.number, 406, `PRECONDITION_FAILED - unknown delivery tag ${tag}`));
    this.#channels.delete(channel.number);
  }

  /** @param {Buffer} payload */
  #bind(payload) {
    const queue = readShortString(payload, 6);
    const exchange = readShortString(payload, queue.end);
    const key = readShortString(payload, exchange.end);
    this.world.bind(queue.text, exchange.text, key.text);
  }

  /** @param {NullChannel} channel @param {Buffer} payload */
  #consume(channel, payload) {
    const queue = readShortString(payload, 6);
    const asked = readShortString(payload, queue.end);
    const tag = asked.text || `null-${++this.#tags}`;
    const noAck = (payload[asked.end] & 2) === 2;
    this.#out.push(methodFrame(channel.number, 60, 21, shortString(tag)));
    channel.consume(tag, { ...this.world.source(queue.text), noAck });
  }
}
