import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Help } from 'commander';
import { CATALOGUE } from '../../../src/cli/catalogue.js';
import type { CommandEntry } from '../../../src/cli/command.js';

/** As the compiler leaves it: a module is a file, which in the built package it isn't. */
const MAIN = resolve(import.meta.dirname, '../../../src/cli/main.js');

const entries = CATALOGUE.flatMap((each): { words: string; entry: CommandEntry }[] =>
  'load' in each
    ? [{ words: each.name, entry: each }]
    : each.commands.map((entry) => ({ words: `${each.name} ${entry.name}`, entry })),
);

describe("the command's catalogue", function () {
  this.timeout(30_000);

  for (const { words, entry } of entries)
    it(`says what hopline ${words} takes before it is loaded as its own code does`, async () => {
      const command = new Command(entry.name);
      const { define } = await entry.load();
      define(command, { terminal: {} as never, exit: () => {} });
      assert.equal(
        [entry.name, '[options]', ...(entry.takes === undefined ? [] : [entry.takes])].join(' '),
        new Help().subcommandTerm(command),
      );
      assert.equal(command.description(), '', 'its summary stands in the catalogue alone');
    });

  it('is all that is loaded for help: the code of no command, and no library but the parser of the command line', () => {
    for (const args of [['--help'], ['failed', '--help'], ['nope'], ['--version']]) {
      const loaded = modulesLoadedBy(args);
      assert.ok(loaded.some((url) => url.endsWith('/src/cli/program.js')));
      const others = loaded.filter((url) => /\/(commands|transport|stores)\/|\/src\/bus\.js$/.test(url));
      assert.deepEqual(others, [], args.join(' '));
      const packages = loaded.flatMap((url) => /.*\/node_modules\/([^/]+)\//.exec(url)?.[1] ?? []);
      assert.deepEqual([...new Set(packages)], ['commander'], args.join(' '));
    }
  });

  it('explains the flags of the connection once: a command that connects names them, one that does not refuses them', () => {
    const said = (...args: string[]) => {
      const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
      return stdout + stderr;
    };
    assert.match(said('--help'), /^ {2}--url-file <file> +file that holds the address/m);
    const help = said('failed', 'list', '--help');
    assert.match(
      help,
      /^Connection: --url <url>, --url-file <file>, .*--allow-guest \(see hopline --help\)\.$/m,
    );
    assert.doesNotMatch(help, /file that holds the address/);
    assert.match(said('stores', 'migrate', '--url-file', 'f'), /unknown option '--url-file'/);
  });

  it('loads the code of the command that is chosen, and of no other', () => {
    const commands = modulesLoadedBy(['topology', 'show', '--help']).flatMap(
      (url) => /\/cli\/commands\/(.+)$/.exec(url)?.[1] ?? [],
    );
    assert.deepEqual(commands, ['topology/show.js']);
  });
});

/** The runtime itself lists each script that it has run. */
function modulesLoadedBy(args: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'hopline-loaded-'));
  try {
    spawnSync(process.execPath, [MAIN, ...args], { env: { ...process.env, NODE_V8_COVERAGE: folder } });
    return readdirSync(folder).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
