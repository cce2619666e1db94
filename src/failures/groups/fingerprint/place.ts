import { nameShape } from './message-shape.js';

/** Characters of a stack that are looked at; Hopline's own are cut to 4 KiB. */
const MOST_READ = 16_384;

/** One line of a stack of V8's: what is called, and where. */
const FRAME =
  /^\s{0,20}at (?:async )?(?:new )?(?:([^\n()]{1,200}?) )?\(?((?:file:\/\/|[A-Za-z]:[\\/]|\/|\.{0,2}\/|webpack|[\w@.-]{1,80}[\\/])[^\n()]{0,500}?):\d{1,7}:\d{1,7}\)?\s*$/;
/** One of Java's or .NET's: a method, with or without a file. */
const MANAGED = /^\s{0,20}at ([\w.$`<>+[\],]{1,300})\(/;

/** Where no code of the application is. */
const NOT_THEIRS =
  /(?:^|[\\/])node_modules[\\/]|^node:|[\\/]hopline[\\/](?:lib|dist|src)[\\/]|\(internal[\\/]/;
const MANAGED_NOT_THEIRS =
  /^(?:System|Microsoft|MassTransit|NServiceBus|RabbitMQ|Npgsql|java|javax|jakarta|jdk|sun|com\.sun|com\.rabbitmq|org\.springframework|kotlin|scala)\./;

/**
 * Uppermost line of a stack in the application's own code: `sendMail (mail/send.js)`, without numbers of lines and without what another
 * machine or the next release calls otherwise. Undefined if there is none.
 */
export function placeIn(stack: string | undefined): string | undefined {
  if (stack === undefined) return undefined;
  for (const line of stack.slice(0, MOST_READ).split('\n')) {
    const place = placeOf(line.slice(0, 800));
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeOf(line: string): string | undefined {
  if (!/^\s{0,20}at /.test(line)) return undefined;
  const [, name, path = ''] = FRAME.exec(line) ?? [];
  if (path !== '') return NOT_THEIRS.test(path) ? undefined : shown(name, fileOf(path));
  const [, method] = MANAGED.exec(line) ?? [];
  return method === undefined || MANAGED_NOT_THEIRS.test(method) ? undefined : nameShape(method);
}

/** The last folder and the file: `mail/send.js`. */
function fileOf(path: string): string {
  const [plain = ''] = path.split(/[?#]/);
  return nameShape(plain.split(/[\\/]/).filter(Boolean).slice(-2).join('/'));
}

function shown(name: string | undefined, file: string): string {
  // What it is called as differs by the caller: `Object.<anonymous>`, `Foo.bar [as handle]`.
  const called = name?.replace(/ \[as [^\]]{1,100}\]$/, '').replace(/^(?:Object|Module|exports|async)\./, '');
  return called === undefined || called.includes('<anonymous>') ? file : `${called} (${file})`;
}
