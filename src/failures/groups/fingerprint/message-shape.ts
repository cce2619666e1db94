/*
 * The shape of an error's message: what it says, without what differs from one failure to the next. Two mistakes are possible. Letters
 * that belong together fall apart into thousands of groups: that makes groups useless, so whatever looks like a value is one. Failures of
 * two kinds become one group: class, place and handler still keep most of them apart, so that is the smaller harm.
 */

/** Characters of a message that are looked at: it bounds the cost of a message of any length. */
const MOST_READ = 1_000;
/** Characters of a shape. */
const MOST_KEPT = 240;

/** The order is that of precedence. All are linear, or bounded by {@link MOST_READ} and by the lengths in them. */
const VALUES = new RegExp(
  [
    String.raw`(?<url>[a-z][a-z+.-]{1,20}:\/\/[^\s'"<>)\]]{1,400})`,
    String.raw`(?<email>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})`,
    String.raw`(?<quoted>"[^"]*"|(?<![\p{L}\p{N}])'(?:[^']|'(?=[\p{L}\p{N}]))*'(?![\p{L}\p{N}])|\u0060[^\u0060]*\u0060|“[^”]*”|«[^»]*»)`,
    String.raw`(?<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)?(?: ?Z\b| ?[+-]\d\d:?\d\d\b)?|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [A-Z\d][a-z\d]{1,2} [A-Z\d][a-z\d]{1,2},? \d{4}(?: \d\d:\d\d:\d\d)?(?: GMT(?:[+-]\d{4})?)?(?: \([^)]{1,60}\))?|\b\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\b)`,
    String.raw`(?<id>\b0x[\da-fA-F]+\b|\b[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}\b|\b[0-7][\dA-HJKMNP-TV-Z]{25}\b)`,
    String.raw`(?<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|(?<![\w:])::1(?=:\d|\b)|(?<![\w:])(?:[\da-fA-F]{0,4}:){2,7}[\da-fA-F]{1,4}(?![\w:]))`,
    String.raw`(?<port>(?<=[\w\]›]):\d{2,5}\b(?![\d.:]))`,
    String.raw`(?<duration>(?<![\w.])\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|min|sec)(?![\p{L}\p{N}]))`,
    String.raw`(?<number>(?<![\p{L}\p{N}_.-])[-+]?\d+(?:[.,_]\d+)*(?:[eE][-+]?\d+)?(?![\p{L}\p{N}_-]))`,
    String.raw`(?<token>[A-Za-z\d]+(?:[_-]+[A-Za-z\d]+)*)`,
  ].join('|'),
  'gu',
);

type Kind = 'url' | 'email' | 'quoted' | 'date' | 'id' | 'ip' | 'port' | 'duration' | 'number' | 'token';

/** `connect ECONNREFUSED ‹ip›:5432`, `no user ‹text› in ‹number› rows`. */
export function messageShape(message: string): string {
  const isCut = message.length > MOST_READ || message.endsWith('…');
  const read = withoutJson(withoutOwn(message.slice(0, MOST_READ)));
  const shape = (issuesShape(read) ?? replaced(openQuote(read, isCut)))
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(‹[a-z]+›)(?:[\s,;]{1,3}\1)+/g, '$1')
    .trim();
  return shape.length <= MOST_KEPT ? shape : `${shape.slice(0, MOST_KEPT - 1)}…`;
}

/** Shape of a name that may hold ids, such as a routing key or a file's: words and digits only. */
export const nameShape = (name: string): string =>
  name.slice(0, MOST_READ).replaceAll(/[A-Za-z\d]+(?:[_-]+[A-Za-z\d]+)*/g, tokenShape);

function replaced(text: string): string {
  return text.replaceAll(VALUES, (match, ...rest) => {
    const groups = rest.at(-1) as Partial<Record<Kind, string>>;
    const at = rest.at(-3) as number;
    if (groups.token !== undefined) return tokenShape(match);
    if (groups.number !== undefined) return isStatus(match, text, at) ? match : '‹number›';
    if (groups.quoted !== undefined) return isName(match, text, at) ? match : '‹text›';
    if (groups.url !== undefined) return urlShape(match);
    if (groups.port !== undefined) return portShape(match);
    if (groups.email !== undefined) return '‹email›';
    if (groups.date !== undefined) return '‹date›';
    if (groups.ip !== undefined) return '‹ip›';
    return groups.duration === undefined ? '‹id›' : '‹duration›';
  });
}

/** Words joined by dashes and underscores: one random id, or words with numbers among them. */
function tokenShape(token: string): string {
  if (!/\d/.test(token)) return token;
  const whole = token.replace(/[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}/, '‹id›');
  if (whole.includes('‹')) return whole;
  if (token.length >= 16 && changes(token.replaceAll(/[_-]/g, '')) >= 4) return '‹id›';
  return token.replaceAll(/[A-Za-z\d]+/g, wordShape);
}

function wordShape(word: string): string {
  if (!/\d/.test(word)) return word;
  if (/^\d+$/.test(word)) return '‹number›';
  const isHex = word.length >= 6 && /^[\da-fA-F]+$/.test(word) && !/^[A-F]\d+$/.test(word);
  const isMixed = word.length >= 8 && /[a-z]/.test(word) && /[A-Z]/.test(word);
  return isHex || isMixed || changes(word) >= 2 ? '‹id›' : word.replaceAll(/\d+/g, '‹number›');
}

/** How often letters and digits take turns. */
function changes(word: string): number {
  return (word.match(/\d(?=[A-Za-z])|[A-Za-z](?=\d)/g) ?? []).length;
}

/** HTTP's codes are among what a failure is. */
function isStatus(number: string, text: string, at: number): boolean {
  return (
    /^[1-5]\d\d$/.test(number) &&
    /\b(?:status|code|http)[\s:="']{0,4}$/i.test(text.slice(Math.max(0, at - 12), at))
  );
}

/** Words before a quoted name of the program itself, or of what it works with. */
const NAMING =
  /\b(?:reading|setting|property|properties|column|relation|table|schema|constraint|field|function|method|module|package|index|parameter|argument|option|type|enum|queue|exchange|handler|service|variable|environment)[\s:(]{1,3}$/i;

/** True for quoted text that names a part of the program rather than a value: a key in JSON, a name of several words, or one after a word such as `column`. */
function isName(quoted: string, text: string, at: number): boolean {
  if (!/^.[A-Za-z_$][\w$.@/-]{0,60}.$/.test(quoted) || /\d/.test(quoted)) return false;
  if (/^\s*:/.test(text.slice(at + quoted.length, at + quoted.length + 4))) return true;
  return /[a-z_][A-Z_]/.test(quoted) || NAMING.test(text.slice(Math.max(0, at - 20), at));
}

/** Without what follows the path, which may hold secrets. */
function urlShape(url: string): string {
  const [address = '', ...query] = url.split(/[?#]/);
  const withPort = address.replaceAll(/:\d{2,5}(?![\d.:])/g, portShape);
  const known = withPort
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '‹ip›')
    .replace(/\/\/[^/@]{1,100}@/, '//');
  return `${nameShape(known)}${query.length > 0 ? '?‹text›' : ''}`.replaceAll(/:‹number›/g, () =>
    shownPort(address),
  );
}

const shownPort = (address: string): string => portShape(/:\d{2,5}(?![\d.:])/.exec(address)?.[0] ?? '');

/** A server's port tells which one it is; a client's is another each time. */
const portShape = (port: string): string => (Number(port.slice(1)) < 32_768 ? port : ':‹number›');

/** Without what Hopline has added to the handler's error. */
function withoutOwn(message: string): string {
  const at = message.search(/; (?:then failed\(\) threw|its copy could not be sent:) /);
  return at < 0 ? message : message.slice(0, at);
}

/** V8 quotes the JSON that it can't read, whose own quotes would not pair. */
function withoutJson(message: string): string {
  const end = message.indexOf(' is not valid JSON');
  if (end < 0) return message.replace(/\btoken \S{1,12} in JSON\b/, 'token ‹text› in JSON');
  const start = message.slice(0, end).search(/[,:] (?:\.\.\.)?"/);
  const token = message.slice(0, Math.max(0, start)).replace(/'.*'$/, '‹text›');
  return start < 0 ? message : `${token}, ‹text›${message.slice(end)}`;
}

/** A quote that was opened before the text was cut. */
function openQuote(message: string, isCut: boolean): string {
  if (!isCut || (message.match(/"/g) ?? []).length % 2 === 0) return message;
  return `${message.slice(0, message.lastIndexOf('"'))}‹text›`;
}

/** Findings of a schema, as zod and others put them into the message as JSON: paths and codes, each once. */
function issuesShape(message: string): string | undefined {
  if (!/^\s*\[\s*\{/.test(message)) return undefined;
  let issues: unknown;
  try {
    issues = JSON.parse(message);
  } catch {
    return undefined;
  }
  const shapes = (issues as Record<string, unknown>[]).map(({ path, code, message: text }) => {
    const keys = Array.isArray(path)
      ? path.map((key) => (typeof key === 'string' ? nameShape(key) : '‹number›'))
      : [];
    return `${keys.join('.')}: ${typeof code === 'string' ? code : replaced(String(text))}`;
  });
  return [...new Set(shapes)].sort().join('; ');
}
