/** Of a `package.json`, what a release looks at. */
export interface ReleaseManifest {
  readonly version?: string;
  readonly private?: boolean;
  readonly repository?: string | { readonly url?: string };
  readonly homepage?: string;
  readonly bugs?: string | { readonly url?: string };
  readonly author?: string | { readonly name?: string };
}

export interface ReleaseFacts {
  /** Of git, such as `v1.2.3`. */
  readonly tag: string;
  readonly manifest: ReleaseManifest;
  /** In the form of Keep a Changelog. */
  readonly changelog: string;
  /** `owner/name` on GitHub, as its workflows are told; not compared if it is not known. */
  readonly repository?: string | undefined;
}

/** What keeps a version from being released, each as a sentence that says what to do; empty if nothing does. */
export function releaseProblems({ tag, manifest, changelog, repository }: ReleaseFacts): readonly string[] {
  const { version = '' } = manifest;
  return [
    ...(tag === `v${version}` && version !== ''
      ? []
      : [`the tag is '${tag}' and the version in package.json '${version}': expected the tag 'v${version}'`]),
    ...(manifest.private
      ? ["package.json has 'private': true, with which npm publishes nothing: remove it"]
      : []),
    ...emptyFields(manifest),
    ...(repository === undefined ? [] : wrongRepository(manifest, repository)),
    ...changelogProblems(changelog, version),
  ];
}

const FIELDS = {
  repository: 'the address that npm compares with the one in the provenance',
  homepage: 'where the package page on npm leads to for the documentation',
  bugs: 'where users report what is broken',
  author: 'whom the licence names',
} as const;

function emptyFields(manifest: ReleaseManifest): string[] {
  return Object.entries(FIELDS)
    .filter(([name]) => textOf(manifest[name as keyof typeof FIELDS]) === '')
    .map(([name, what]) => `'${name}' in package.json is empty: fill it in, it is ${what}`);
}

function textOf(field: string | { readonly url?: string; readonly name?: string } | undefined): string {
  const value = typeof field === 'string' ? field : (field?.url ?? field?.name ?? '');
  return value.trim();
}

/** How npm takes a repository there; without any of it, it is there too. */
const ON_GITHUB = /^(git\+)?(github:|(https|git|ssh):\/\/(git@)?github\.com\/|git@github\.com:)/;

/** npm refuses a provenance that names another repository than the package does, but only after all else has been done. */
function wrongRepository(manifest: ReleaseManifest, expected: string): string[] {
  const given = textOf(manifest.repository);
  if (given === '') return [];
  const path = given.replace(ON_GITHUB, '').replace(/\.git$/, '');
  return path.toLowerCase() === expected.toLowerCase()
    ? []
    : [`'repository' in package.json is '${given}', and this is github.com/${expected}: name that`];
}

function changelogProblems(changelog: string, version: string): string[] {
  const sections = changelog.split(/^## /m).slice(1);
  const own = sections.find((section) => section.startsWith(`[${version}]`));
  if (own === undefined)
    return [`CHANGELOG.md has no section '## [${version}] - <date>': move what is unreleased into one`];
  const [heading = '', ...lines] = own.split('\n');
  const isDated = /^\[[^\]]+\] - \d{4}-\d{2}-\d{2}$/.test(heading.trim());
  const isEmpty = lines.every((line) => line.trim() === '');
  return [
    ...(isDated
      ? []
      : [`the section '## ${heading}' of CHANGELOG.md has no date such as 2026-01-31: add it`]),
    ...(isEmpty ? [`the section '## ${heading}' of CHANGELOG.md is empty: say what has changed`] : []),
  ];
}
