/** Flags of each command that connects to the broker, with what they mean, for the help of `hopline`. */
export const CONNECTION_FLAGS = [
  ['--url <url>', 'address of the broker, without a password'],
  ['--url-file <file>', 'file that holds the address; else it is taken from AMQP_URL'],
  ['--ca <file>', "certificates of the authorities that may have signed the broker's (amqps://)"],
  ['--cert <file>', 'our own certificate, for a broker that asks for one'],
  ['--key <file>', 'its private key; the passphrase, if it has one, comes from AMQP_KEY_PASSPHRASE'],
  ['--external', 'log in by the certificate instead of user and password'],
  ['--allow-guest', 'take the user guest with its default password, on a host that is not loopback, too'],
] as const satisfies readonly (readonly [flags: string, meaning: string])[];
