/**
 * Names of fields and headers whose values are never shown, to which the option `redact` adds more: each hides every name that it is a part
 * of, and one of four letters or fewer hides whole words alone.
 */
export const REDACTED: readonly string[] = [
  ...['password', 'passwd', 'passphrase', 'secret', 'token', 'apikey', 'authorization', 'cookie'],
  ...[
    'privatekey',
    'credential',
    'signature',
    'session',
    'bearer',
    'pass',
    'pwd',
    'auth',
    'jwt',
    'sig',
    'otp',
  ],
  ...['card', 'cvc', 'cvv', 'pin', 'iban', 'ssn'],
];
