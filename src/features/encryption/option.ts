import { flag } from '../../util/check.js';

export interface EncryptedOption {
  /**
   * Takes encrypted messages only: a plain message is dead-lettered as `undecodable`, so that nobody without a
   * key can make the handler run. @default false: plain messages, too
   */
  encrypted?: boolean;
}

export const encryptedOption = {
  check: flag,
  settings: (encrypted: boolean) => encrypted,
  problems: (
    { options: { encrypted } }: { readonly options: EncryptedOption },
    { encryption }: { readonly encryption?: object | undefined },
  ): string[] =>
    encrypted && !encryption
      ? ['it takes encrypted messages only, so the bus needs encryption: { keys }']
      : [],
};
