import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What a password is kept as. */
export interface KeptPassword {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallel: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** One of the sets that OWASP recommends as equal: this one takes 32 MB for each guess. */
export const COST = { cost: 32_768, blockSize: 8, parallel: 3 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What one check may take of memory; more is a mistyped line. */
const MAX_BYTES = 256 * 1_024 * 1_024;

/** `scrypt$131072$8$1$salt$hash`, in base64. */
export async function keptPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await hashOf(password, { ...COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  const { cost, blockSize, parallel } = COST;
  return ['scrypt', cost, blockSize, parallel, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** Undefined if the text is none, or asks for more memory than a check may take. */
export function readKept(text: string): KeptPassword | undefined {
  const [, ...parts] = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w+/=]+)\$([\w+/=]+)$/.exec(text) ?? [];
  const [cost = 0, blockSize = 0, parallel = 0] = parts.slice(0, 3).map(Number);
  const [salt, hash] = parts.slice(3).map((part) => Buffer.from(part, 'base64'));
  const isPower = cost > 1 && Number.isInteger(Math.log2(cost));
  const isKept =
    isPower && blockSize > 0 && parallel > 0 && memoryOf({ cost, blockSize, parallel }) <= MAX_BYTES;
  if (!isKept || !salt || !hash || hash.length < 16) return undefined;
  return { cost, blockSize, parallel, salt, hash };
}

export async function isPassword(password: string, kept: KeptPassword): Promise<boolean> {
  return timingSafeEqual(await hashOf(password, kept), kept.hash);
}

const memoryOf = ({ cost, blockSize, parallel }: Omit<KeptPassword, 'salt' | 'hash'>): number =>
  128 * blockSize * (cost + parallel);

function hashOf(password: string, { cost, blockSize, parallel, salt, hash }: KeptPassword): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFC'),
      salt,
      hash.length,
      { cost, blockSize, parallelization: parallel, maxmem: 2 * MAX_BYTES },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}
