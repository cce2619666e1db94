/** A version of RabbitMQ. */
export type Version = readonly [major: number, minor: number];

/**
 * Compares major and minor numbers; `4.3.0-rc.1` counts as 4.3.
 *
 * @returns true for a version that the broker has, or is later than; false for any if it has told none
 */
export function atLeast(version: string): (wanted: Version) => boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return () => false;
  const own = Number(major);
  return ([wantedMajor, wantedMinor]) =>
    own > wantedMajor || (own === wantedMajor && Number(minor) >= wantedMinor);
}
