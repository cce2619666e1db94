import type { MessageProperties } from '../properties.js';

/** Maximum length of AMQP's short string. */
const SHORT_BYTES = 255;

/**
 * The properties of a received message that can be written again, and the names of those that can't. A byte
 * that is not UTF-8 becomes three bytes when it is read, so a received text may be too long to be sent; and a
 * timestamp may be any 64-bit number.
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
