/** Characters that show nothing, or turn the direction of what stands around them: as `\u202e` they can mislead nobody. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Text of others with nothing in it that can't be seen. Tabs and line feeds stay. */
export const visibleText = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(INVISIBLE, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
