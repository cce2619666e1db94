import assert from 'node:assert/strict';
import { ClientLibraryError } from '../../../src/index.js';
import {
  CLIENT_LIBRARY_VERSION,
  requireClientLibrary,
} from '../../../src/transport/amqp/connection/client-library.js';
import { manifest } from '../../project/repository.js';

describe('the copy of the client library that runs', () => {
  it('is the one that Hopline is made for, and depends on exactly', () => {
    assert.equal(manifest.dependencies.amqplib, CLIENT_LIBRARY_VERSION);
    requireClientLibrary();
  });

  it('may be in a bundle, where nobody can tell', () => {
    requireClientLibrary(undefined);
  });

  it('is refused if it is another, with both versions and what to do', () => {
    assert.throws(
      () => requireClientLibrary('0.10.9'),
      (error: ClientLibraryError) => {
        assert.ok(error instanceof ClientLibraryError);
        assert.equal(error.code, 'HOPLINE_CLIENT_LIBRARY');
        assert.match(error.message, /amqplib 2\.3\.1.*amqplib 0\.10\.9/);
        assert.match(error.help, /overrides/);
        return true;
      },
    );
  });
});
