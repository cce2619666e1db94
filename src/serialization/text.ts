import { TextDecoder } from 'node:util';
import { stillEncoded } from './content-encoding.js';
import type { Deserializer } from './serializer.js';
import { shorten, undecodable } from './undecodable.js';

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i;
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Deserializer for text, including empty text. The charset is UTF-8, unless the content type names another one
 * of the WHATWG's Encoding Standard, or the content encoding does, as kombu's. A byte order mark is left out.
 */
export const text: Deserializer = {
  deserialize(body, { contentType, contentEncoding }) {
    const ofEncoding = contentEncoding ? decoderOf(contentEncoding) : UTF_8;
    if (!ofEncoding) throw stillEncoded(contentEncoding as string);
    const charset = contentType && CHARSET.exec(contentType)?.[1];
    const decoder = charset ? decoderOf(charset) : ofEncoding;
    if (!decoder) throw undecodable(`its charset '${shorten(charset as string)}' is not known`);
    try {
      return decoder.decode(body);
    } catch {
      throw undecodable(
        `its body is not valid ${decoder.encoding.toUpperCase()}`,
        "Let its publisher name its charset, as 'text/plain; charset=iso-8859-1'; or set body: 'bytes' on the handler or its queue.",
      );
    }
  },
};

function decoderOf(charset: string): TextDecoder | undefined {
  if (/^utf-?8$/i.test(charset)) return UTF_8;
  try {
    // Python writes `latin-1`, the standard `latin1`.
    return new TextDecoder(charset.replace(/^latin[-_]/i, 'latin'), { fatal: true });
  } catch {
    return undefined;
  }
}
