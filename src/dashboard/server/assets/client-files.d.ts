/** A file for browsers. */
export interface ClientFile {
  /** With a hash of what is in it: `client-3f2a91c4.js`. */
  readonly name: string;
  readonly type: string;
  /** Compressed with gzip, in base64. */
  readonly gzip: string;
}

/** Made by scripts/package/client.js of src/dashboard/client and src/dashboard/ui/style: one script and one style sheet. */
export const CLIENT_FILES: readonly ClientFile[];
