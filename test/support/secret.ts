import { inspect } from 'node:util';

/** How a secret may turn up in a text: as it is, or in one of the forms that URLs, headers and dumps give it. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const everyByte = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const hex = bytes.toString('hex');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    passwordOf(secret),
    everyByte,
    everyByte.toUpperCase(),
    ...base64Forms(bytes),
    hex,
    // As util.inspect shows a Buffer.
    hex.replaceAll(/(..)(?=.)/g, '$1 '),
  ];
}

/** As a URL object writes it, which encodes less than encodeURIComponent. */
function passwordOf(secret: string): string {
  const url = new URL('amqp://host');
  url.password = secret;
  return url.password;
}

/** Inside something longer (`user:password`) it begins at any of three places of a group; what its neighbours change is cut off. */
function base64Forms(bytes: Buffer): string[] {
  return ['base64', 'base64url'].flatMap((encoding) =>
    [0, 1, 2].map((before) => {
      const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding as 'base64');
      return text.replace(/=+$/, '').slice(before === 0 ? 0 : before + 1, -1);
    }),
  );
}

/** The forms of the secret that `text` holds; none is what a test wants. */
export function found(secret: string, text: string): string[] {
  return formsOf(secret).filter((form) => text.includes(form));
}

/** All that a log might make of a value: its fields, hidden ones too, its chain of causes, its text, its JSON. */
export function everything(value: unknown): string {
  const shown = [
    inspect(value, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }),
  ];
  const seen = new Set<unknown>();
  for (let at = value; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    shown.push(String(at), at.message, at.stack ?? '', JSON.stringify(at, Object.getOwnPropertyNames(at)));
  }
  return shown.join('\n');
}
