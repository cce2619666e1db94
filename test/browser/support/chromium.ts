import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { installPackage } from '../../support/broker/apt.js';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** Nothing of the browser's own goes out: what a page asks for is all that is asked. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For the hook that asks for a browser: the package may have to be installed first. In milliseconds. */
export const CHROMIUM_TIMEOUT_MS = 300_000;

let launched: Promise<Browser> | undefined;

/** The one browser of this test run, started when the first test asks. @throws Error that says how to get one */
export function browser(): Promise<Browser> {
  launched ??= chromiumProgram().then((executablePath) => chromium.launch({ executablePath, args: ARGS }));
  return launched;
}

/** Ends the browser, if there is one. */
export async function closeBrowser(): Promise<void> {
  const one = await launched?.catch(() => undefined);
  launched = undefined;
  await one?.close();
}

/**
 * The program that CHROMIUM names, else an installed one, else that of Debian's package, which is installed.
 *
 * @throws Error that says how to get one
 */
export async function chromiumProgram(): Promise<string> {
  const { CHROMIUM: named } = process.env;
  if (named) {
    if (await isExecutable(named)) return named;
    throw new Error(
      `CHROMIUM names '${named}', which is no program. Set it to the path of a Chromium or Chrome.`,
    );
  }
  const found = await installed();
  if (found) return found;
  const declined = await installPackage('chromium');
  const program = await installed();
  if (program) return program;
  throw new Error(
    `These tests need a Chromium, and none is installed: ${declined?.reason ?? 'apt-get has put it where nobody looks'}. ` +
      'Set CHROMIUM to the path of one, or install the package `chromium`.',
  );
}

async function installed(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean))
    for (const name of PROGRAMS) if (await isExecutable(join(folder, name))) return join(folder, name);
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
