import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The library's connection while it opens; an internal interface. */
interface OpeningConnection {
  recvFrame(): unknown;
  open(fields: object, done: (error: Error | null, ok?: unknown) => void): void;
}

interface CloseFrame {
  readonly fields?: { readonly replyCode?: unknown; readonly replyText?: unknown };
}

let isKept = false;

/**
 * Adds the broker's reason to the client library's error when the broker closes a connection instead of opening
 * it: `connection limit (10) is reached`, `vhost '/x' is down`. The library drops the reason.
 */
export function keepWordsOfRefusal(): void {
  if (isKept) return;
  isKept = true;
  const prototype = connectionPrototype();
  if (typeof prototype?.open !== 'function' || typeof prototype.recvFrame !== 'function') return;
  const { open } = prototype;
  prototype.open = function (this: OpeningConnection, fields, done) {
    const { recvFrame } = this;
    let code = '';
    let words = '';
    this.recvFrame = () => {
      const frame = recvFrame.call(this);
      const { replyCode, replyText } = (frame as CloseFrame | undefined)?.fields ?? {};
      if (typeof replyText === 'string') [code, words] = [String(replyCode), replyText];
      return frame;
    };
    open.call(this, fields, (error, ok) => {
      this.recvFrame = recvFrame;
      if (error && !error.message.includes(words)) error.message += `: ${code} ${words}`;
      done(error, ok);
    });
  };
}

/** The package doesn't export this module, which is beside its exported file. */
function connectionPrototype(): OpeningConnection | undefined {
  try {
    const require = createRequire(import.meta.url);
    const path = join(dirname(require.resolve('amqplib')), 'lib', 'connection.js');
    return (require(path) as { Connection?: { prototype: OpeningConnection } }).Connection?.prototype;
  } catch {
    return undefined;
  }
}
