/** Names of fields and headers whose values are not shown, unless the option `redact` says others. */
export const REDACTED: readonly string[] = [
  ...['password', 'passwd', 'passphrase', 'secret', 'clientsecret', 'token', 'accesstoken', 'refreshtoken'],
  ...['idtoken', 'apikey', 'authorization', 'cookie', 'setcookie', 'privatekey', 'credential', 'credentials'],
  ...['card', 'cardnumber', 'cvc', 'cvv', 'pin', 'iban', 'ssn'],
];
