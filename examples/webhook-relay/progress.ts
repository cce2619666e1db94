import { Presets, SingleBar } from 'cli-progress';

/** How far the run is. */
export interface Progress {
  readonly published: number;
  readonly expected: number;
  readonly settled: number;
}

/** How often it is shown: redrawn on a terminal, a new line anywhere else. */
const BAR_MS = 100;
const LINE_MS = 2_000;

/** Shows on standard error how far the run is; the returned function ends that. */
export function showProgress(look: () => Progress): () => void {
  return process.stderr.isTTY ? showBar(look) : showLines(look);
}

function showBar(look: () => Progress): () => void {
  const format = '{bar} {percentage}%  {published} events in, {value} of {total} deliveries done';
  const bar = new SingleBar({ format, hideCursor: true, barsize: 30 }, Presets.shades_classic);
  const draw = () => {
    const { published, expected, settled } = look();
    bar.setTotal(expected);
    bar.update(settled, { published });
  };
  bar.start(look().expected, 0, { published: 0 });
  const timer = setInterval(draw, BAR_MS);
  return () => {
    clearInterval(timer);
    draw();
    bar.stop();
  };
}

function showLines(look: () => Progress): () => void {
  let last = 0;
  const write = () => {
    const { published, expected, settled } = look();
    if (published + settled === last) return;
    last = published + settled;
    process.stderr.write(`${published} events in, ${settled} of ${expected} deliveries done\n`);
  };
  const timer = setInterval(write, LINE_MS);
  return () => {
    clearInterval(timer);
    write();
  };
}
