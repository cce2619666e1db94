import { readFileSync } from 'node:fs';
import { ClientLibraryError } from '../../../errors.js';

/**
 * The version of amqplib that Hopline is made for, and depends on exactly: Hopline uses the library's
 * internals, which another version may have elsewhere.
 */
export const CLIENT_LIBRARY_VERSION = '2.3.1';

/**
 * Checks the version: a package manager can be told to install another one (overrides, resolutions).
 *
 * @param found version of the loaded copy; undefined if it is unknown, as in a bundle
 * @throws ClientLibraryError for any other version
 */
export function requireClientLibrary(found: string | undefined = installedVersion()): void {
  if (found !== undefined && found !== CLIENT_LIBRARY_VERSION)
    throw new ClientLibraryError(CLIENT_LIBRARY_VERSION, found);
}

function installedVersion(): string | undefined {
  try {
    // The package doesn't export its manifest, which is beside its exported file.
    const manifest = new URL('package.json', import.meta.resolve('amqplib'));
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
