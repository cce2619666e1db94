/** What a text in JSON means, also one that was cut; as it is written if that can't be told. */
export function meaningOf(written: string): string {
  const ended = `${written.replace(/\\(?:u[\da-f]{0,3})?$/i, '')}"`;
  for (const each of [written, ended]) {
    try {
      return String(JSON.parse(each));
    } catch {}
  }
  return written;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
