import type { MessageProperties } from './message.js';

/** What AMQP calls a short string. */
const SHORT_BYTES = 255;

/**
 * A received message's properties as they can be written again, and the names of those that can't: bytes that are no UTF-8 take
 * three each once they are read, so that a text which came may be too long to go; and a moment is any number of 64 bits.
 */
export function fittingProperties(properties: MessageProperties): {
  readonly fitting: MessageProperties;
  readonly unfit: readonly string[];
} {
  const { headers, ...plain } = properties;
  const unfit = Object.entries(plain).flatMap(([name, value]) => (fits(value) ? [] : [name]));
  if (unfit.length === 0) return { fitting: properties, unfit };
  const kept = Object.entries(plain).filter(([name]) => !unfit.includes(name));
  return { fitting: { ...Object.fromEntries(kept), ...(headers ? { headers } : {}) }, unfit };
}

function fits(value: unknown): boolean {
  if (typeof value === 'string') return Buffer.byteLength(value) <= SHORT_BYTES;
  return value === undefined || (Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 64);
}
