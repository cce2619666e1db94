import { readFileSync } from 'node:fs';
import { ClientLibraryError } from '../../errors.js';

/**
 * The version of amqplib that Hopline is made for, and depends on exactly: it takes hold of what the library keeps to
 * itself, and another version may have that elsewhere.
 */
export const CLIENT_LIBRARY_VERSION = '2.3.1';

/**
 * A package manager can be told to install another version all the same (overrides, resolutions).
 *
 * @param found version of the copy that runs here; undefined if it can't be told, as in a bundle
 * @throws ClientLibraryError if it is another
 */
export function requireClientLibrary(found: string | undefined = installedVersion()): void {
  if (found !== undefined && found !== CLIENT_LIBRARY_VERSION)
    throw new ClientLibraryError(CLIENT_LIBRARY_VERSION, found);
}

function installedVersion(): string | undefined {
  try {
    // The package doesn't export its manifest; it lies beside what it does export.
    const manifest = new URL('package.json', import.meta.resolve('amqplib'));
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
