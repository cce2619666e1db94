/**
 * Names of fields and headers whose values are not shown, unless the option `redact` says others: each hides every name that it is a part
 * of, and one of four letters or fewer hides whole words alone.
 */
export const REDACTED: readonly string[] = [
  ...['password', 'passwd', 'passphrase', 'secret', 'token', 'apikey', 'authorization', 'cookie'],
  ...['privatekey', 'credential', 'card', 'cvc', 'cvv', 'pin', 'iban', 'ssn'],
];
