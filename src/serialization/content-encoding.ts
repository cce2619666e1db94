import { constants } from 'node:buffer';
import zlib from 'node:zlib';
import type { UndecodableError } from '../errors.js';
import { shorten, undecodable } from './undecodable.js';

/*
 * Content encodings, of which a body may have several: `gzip, br` was compressed with gzip first (RFC 9110,
 * section 8.4). kombu and Celery name theirs in a header, `compression`, as a media type, and use
 * `contentEncoding` for the charset.
 */

type Undo = (
  body: Buffer,
  options: zlib.ZlibOptions,
  done: (error: Error | null, body: Buffer) => void,
) => void;

/** Undoes `deflate`: by the RFC this is zlib's format, but some clients send the bare format. */
const undeflate: Undo = (body, options, done) =>
  isZlib(body) ? zlib.inflate(body, options, done) : zlib.inflateRaw(body, options, done);

/** True for a zlib header: its two bytes are a multiple of 31, and its method is 8 (RFC 1950, section 2.2). */
const isZlib = (body: Buffer): boolean =>
  body.length >= 2 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;

/** Available from Node.js 22.15 on. */
const { zstdDecompress } = zlib as { zstdDecompress?: Undo };
const zstd = zstdDecompress ? { zstd: zstdDecompress } : {};

const CONTENT_ENCODINGS: Readonly<Record<string, Undo>> = {
  gzip: zlib.gunzip,
  deflate: undeflate,
  br: zlib.brotliDecompress,
  ...zstd,
};

/**
 * Values of kombu's header `compression`. Its `application/x-gzip` is zlib's format; other clients that write
 * this value mean gzip.
 */
const KOMBU_COMPRESSIONS: Readonly<Record<string, Undo | undefined>> = {
  'application/x-gzip': zlib.unzip,
  'application/x-brotli': zlib.brotliDecompress,
  'application/zstd': zstdDecompress,
  'application/x-bz2': undefined,
  'application/x-lzma': undefined,
};

const UNDOING = new Map<string, Undo>([
  ...Object.entries(CONTENT_ENCODINGS),
  ['x-gzip', zlib.gunzip],
  ...Object.entries(KOMBU_COMPRESSIONS).flatMap(([name, undo]): [string, Undo][] =>
    undo ? [[name, undo]] : [],
  ),
]);

/** Values that mean "not encoded": kombu's word for bytes is `binary`. */
const NOTHING: ReadonlySet<string> = new Set(['', 'identity', 'binary']);

/** A limit, since each encoding may cost as much as the largest body. */
const MAX_ENCODINGS = 5;

/** Encodings of a body that can be undone, in the order of undoing, and the ones that remain after that. */
export interface Encodings {
  readonly known: readonly string[];
  readonly left: string | undefined;
}

/**
 * @param compression kombu's header, if the message has it; contentEncoding is always the charset then
 * @throws UndecodableError for too many encodings
 */
export function encodingsOf(contentEncoding: string, compression: unknown): Encodings {
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  if (typeof compression === 'string' && Object.hasOwn(KOMBU_COMPRESSIONS, compression))
    names.push(compression);
  const left = names.filter((name) => !NOTHING.has(name));
  const known: string[] = [];
  for (let last = left.at(-1); last !== undefined && UNDOING.has(last); last = left.at(-1)) {
    known.push(last);
    left.pop();
  }
  if (known.length > MAX_ENCODINGS)
    throw undecodable(
      `it has ${known.length} content encodings, more than the ${MAX_ENCODINGS} that are decoded`,
    );
  return { known, left: left.length > 0 ? left.join(', ') : undefined };
}

/**
 * Body without its encodings. Runs in the thread pool: a small body may be large inside, and would block the
 * event loop.
 *
 * @param maxBytes maximum size after each step
 * @throws UndecodableError for a broken body, or one that is larger
 */
export async function undone(body: Buffer, known: readonly string[], maxBytes: number): Promise<Buffer> {
  let inside = body;
  // zlib throws for a limit above its maximum.
  const most = Math.min(maxBytes, constants.MAX_LENGTH);
  for (const name of known) inside = await undoneOne(inside, name, most);
  return inside;
}

function undoneOne(body: Buffer, name: string, maxOutputLength: number): Promise<Buffer> {
  // An empty body is not encoded, whatever its publisher sets on all messages.
  if (body.length === 0) return Promise.resolve(body);
  return new Promise((resolve, reject) => {
    (UNDOING.get(name) as Undo)(body, { maxOutputLength }, (error, inside) => {
      if (error) reject(cannotUndo(error, name, maxOutputLength));
      else resolve(inside);
    });
  });
}

function cannotUndo(error: NodeJS.ErrnoException, name: string, maxBytes: number): UndecodableError {
  if (error.code !== 'ERR_BUFFER_TOO_LARGE') return undecodable(`its body is not valid ${name}`);
  return undecodable(
    `decoded from '${name}', its body is over the cap of ${maxBytes} bytes`,
    'Raise maxBodyBytes, or send a reference instead of the data.',
  );
}

/** Error for a body whose encoding is not known here. */
export function stillEncoded(left: string): UndecodableError {
  return undecodable(
    `its content encoding is '${shorten(left)}', which can't be decoded`,
    `Send it plain, or in one of these: ${Object.keys(CONTENT_ENCODINGS).join(', ')}. Or decode it in a deserializer of your own, as the \`body\` of the handler or its queue.`,
  );
}
