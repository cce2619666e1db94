import { createSecureContext, type SecureContext } from 'node:tls';
import { anything, type Fields, flag, isPlainObject, oneOf, problemsOf, text } from '../../../util/check.js';

/** Content in PEM form, as text or bytes; not the name of a file. */
export type Pem = string | Buffer;

/** TLS options of an `amqps://` connection, with the names and meanings of `node:tls`. */
export interface TlsOptions {
  /** Certificates of the trusted authorities; they replace the system's. @default those of Node.js */
  ca?: Pem | readonly Pem[];
  /**
   * Certificate of the client, with its chain, for a broker that requires one (mutual TLS). Needs `key`.
   * @default none
   */
  cert?: Pem | readonly Pem[];
  /** Private key of `cert`. @default none */
  key?: Pem;
  /** `cert` and `key`, optionally with `ca`, as the bytes of a PKCS#12 file. @default none */
  pfx?: Buffer;
  /** Passphrase of an encrypted `key` or `pfx`. @default none */
  passphrase?: string;
  /** Name that the broker's certificate must have. @default the host of the URL */
  servername?: string;
  /** Oldest accepted TLS version. @default 'TLSv1.2' */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /**
   * Verifies the broker's certificate. With `false` any server at the address is accepted, and gets the
   * password: refused without `allowInsecureTls`. The environment variable NODE_TLS_REJECT_UNAUTHORIZED has no
   * effect. @default true
   */
  rejectUnauthorized?: boolean;
}

/** TLS settings of a socket. They hold no key that could be printed. */
export interface TlsSettings {
  readonly secureContext: SecureContext;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

const inPem = (form: RegExp) => (value: unknown) =>
  (typeof value === 'string' || Buffer.isBuffer(value)) && form.test(value.toString('latin1'));

const CERTIFICATE = inPem(/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/);
const KEY = inPem(/-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/);

/**
 * Options with `anything` are secret, or may be by mistake: they are checked separately, so that no message
 * shows them.
 */
const FIELDS: Fields = {
  ca: anything,
  cert: anything,
  key: anything,
  pfx: anything,
  passphrase: anything,
  servername: text,
  minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  rejectUnauthorized: flag,
};

/** Problems of `tls`, as sentences; none shows a key or a passphrase. */
export function tlsProblems(tls: unknown, allowInsecure: boolean): string[] {
  if (!isPlainObject(tls)) return ['expected tls to be an object such as { ca }'];
  const problems = [...problemsOf(tls, 'tls', FIELDS), ...secretProblems(tls)];
  if (tls.rejectUnauthorized === false && !allowInsecure) {
    problems.push(
      "tls.rejectUnauthorized: false would let anybody take the broker's place: give its authority's certificate as tls.ca, " +
        'or its name as tls.servername; only for a broker that nobody else can reach, set allowInsecureTls: true as well',
    );
  }
  return problems.length > 0 ? problems : contextProblems(tls);
}

function secretProblems({ ca, cert, key, pfx, passphrase }: TlsOptions): string[] {
  const each = (value: unknown) => [value].flat();
  const problems: string[] = [];
  const expect = (isGood: boolean, name: string, what: string) => {
    if (!isGood) problems.push(`expected tls.${name} to be ${what}`);
  };
  const certificate = 'a certificate in PEM form (the text, not the name of its file)';
  expect(ca === undefined || each(ca).every(CERTIFICATE), 'ca', certificate);
  expect(cert === undefined || each(cert).every(CERTIFICATE), 'cert', certificate);
  expect(
    key === undefined || KEY(key),
    'key',
    'a private key in PEM form (the text, not the name of its file)',
  );
  expect(pfx === undefined || Buffer.isBuffer(pfx), 'pfx', 'the bytes of a PKCS#12 file');
  expect(passphrase === undefined || typeof passphrase === 'string', 'passphrase', 'a string');
  if ((cert === undefined) !== (key === undefined))
    problems.push('expected tls.cert and tls.key to be given together');
  return problems;
}

/** Problems that only show when the values are used: a wrong passphrase, a key of another certificate, damaged PEM. */
function contextProblems(tls: TlsOptions): string[] {
  try {
    contextOf(tls);
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [
      `tls can't be used: ${message}${code ? ` (${code})` : ''}: do cert and key belong together, and does the passphrase open the key?`,
    ];
  }
}

/** Made for each round of connecting, since `tls` may be a function that provides renewed certificates. */
export function tlsSettings(tls: TlsOptions): TlsSettings {
  const { servername, rejectUnauthorized = true } = tls;
  return { secureContext: contextOf(tls), rejectUnauthorized, ...(servername ? { servername } : {}) };
}

function contextOf({ ca, cert, key, pfx, passphrase, minVersion = 'TLSv1.2' }: TlsOptions): SecureContext {
  return createSecureContext({
    minVersion,
    ...(ca === undefined ? {} : { ca: [ca].flat() as Pem[] }),
    ...(cert === undefined ? {} : { cert: [cert].flat() as Pem[] }),
    ...(key === undefined ? {} : { key }),
    ...(pfx === undefined ? {} : { pfx }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}
