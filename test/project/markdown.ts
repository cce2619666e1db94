export interface CodeBlock {
  readonly language: string;
  /** What stands behind the language. */
  readonly about: string;
  readonly code: string;
  /** The file that `<!-- example: path -->` on the line before names: the block shows it, whole. */
  readonly example: string | undefined;
  /** The reader's file that `<!-- file: path -->` names instead: the block is all that stands in it. */
  readonly file: string | undefined;
}

const block = /^(?:<!-- (?:example: (\S+)|file: (\S+)) -->\n)?```(\w*) *([^\n]*)\n(.*?)^```$/gms;

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(block)].map(([, example, file, language = '', about = '', code = '']) => ({
    language,
    about,
    code,
    example,
    file,
  }));
}

/** The targets of the links that lead to files of this repository, as written. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(block, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that GitHub gives the headings. */
export function anchors(markdown: string): string[] {
  return [...markdown.replace(block, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What stands in backticks outside of blocks. */
export function codeSpans(markdown: string): string[] {
  return [...markdown.replace(block, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** The cells of all tables' rows, the headers among them. */
export function tableRows(markdown: string): string[][] {
  return [...markdown.replace(block, '').matchAll(/^\| *(.*?) *\|$/gm)]
    .map(([, cells = '']) => cells.split(/ *\| */))
    .filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)));
}
