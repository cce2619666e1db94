import { constants } from 'node:buffer';
import zlib from 'node:zlib';
import type { UndecodableError } from '../errors.js';
import { shorten, undecodable } from './undecodable.js';

/*
 * Content encodings, of which a body may have several: `gzip, br` was packed with gzip first (RFC 9110, section 8.4).
 * kombu and Celery say theirs in a header, `compression`, as a media type, and use `contentEncoding` for the charset.
 */

type Undo = (
  body: Buffer,
  options: zlib.ZlibOptions,
  done: (error: Error | null, body: Buffer) => void,
) => void;

/** The nearest thing to a contract in practice: what is called deflate is zlib's format, and from some clients is bare. */
const undeflate: Undo = (body, options, done) =>
  isZlib(body) ? zlib.inflate(body, options, done) : zlib.inflateRaw(body, options, done);

/** Its two bytes are a multiple of 31, and its method is 8 (RFC 1950, section 2.2). */
const isZlib = (body: Buffer): boolean =>
  body.length >= 2 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;

/** Node.js has it from 22.15 on. */
const { zstdDecompress } = zlib as { zstdDecompress?: Undo };
const zstd = zstdDecompress ? { zstd: zstdDecompress } : {};

const CONTENT_ENCODINGS: Readonly<Record<string, Undo>> = {
  gzip: zlib.gunzip,
  deflate: undeflate,
  br: zlib.brotliDecompress,
  ...zstd,
};

/** Of kombu's header `compression`; its `application/x-gzip` is zlib's format, and others who write that mean gzip. */
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

/** They say that nothing was done: kombu's word for bytes is `binary`. */
const NOTHING: ReadonlySet<string> = new Set(['', 'identity', 'binary']);

/** Nobody needs more, and each may cost as much as the largest body. */
const MAX_ENCODINGS = 5;

/** What of a body's encodings can be undone, in the order of undoing, and what is left before that. */
export interface Encodings {
  readonly known: readonly string[];
  readonly left: string | undefined;
}

/**
 * @param compression the header of kombu, if it has one: with a contentEncoding always, which is the charset
 * @throws UndecodableError for more than anybody needs
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
      `it has ${known.length} content encodings, and ${MAX_ENCODINGS} are the most that is undone`,
    );
  return { known, left: left.length > 0 ? left.join(', ') : undefined };
}

/**
 * The body without its encodings. In threads of their own: a small body may be a large one inside, for which everything
 * else of this process would wait.
 *
 * @param maxBytes that each may have inside
 * @throws UndecodableError for what is broken, or larger than that
 */
export async function undone(body: Buffer, known: readonly string[], maxBytes: number): Promise<Buffer> {
  let inside = body;
  // zlib throws at a cap that no buffer could reach.
  const most = Math.min(maxBytes, constants.MAX_LENGTH);
  for (const name of known) inside = await undoneOne(inside, name, most);
  return inside;
}

function undoneOne(body: Buffer, name: string, maxOutputLength: number): Promise<Buffer> {
  // Of nothing there is nothing to undo, whatever its publisher says of all its messages.
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
    `without its encoding '${name}', its body is over the cap of ${maxBytes} bytes`,
    'Raise maxBodyBytes, or send a reference instead of the data.',
  );
}

/** For who reads no encodings: what can't be undone. */
export function stillEncoded(left: string): UndecodableError {
  return undecodable(
    `its content encoding is '${shorten(left)}', which is not undone`,
    `Send it plain, or in what is undone: ${Object.keys(CONTENT_ENCODINGS).join(', ')}. Or undo it in a deserializer of your own, as the \`body\` of the handler or its queue.`,
  );
}
