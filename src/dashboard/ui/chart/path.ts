/** Path of a line through values that begins anew after each gap. */
export function pathOf(
  values: readonly (number | null)[],
  most: number,
  width: number,
  height: number,
): string {
  const step = width / Math.max(1, values.length - 1);
  const scale = most > 0 ? (height - 2) / most : 0;
  let [path, drawing] = ['', false];
  values.forEach((value, at) => {
    if (value !== null)
      path += `${drawing ? 'L' : 'M'}${tenth(at * step)} ${tenth(height - 1 - value * scale)}`;
    drawing = value !== null;
  });
  return path;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
