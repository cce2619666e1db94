export interface SparklineProps {
  /** Equal parts of time, the last of which ends now; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** Says what the picture says: `38 within a day, most of them in the last hour`. */
  readonly label: string;
  readonly tone?: 'bad' | undefined;
}

const [WIDTH, HEIGHT] = [96, 20];

/** A bar for each part of the time. */
export function Sparkline({ values, label, tone }: SparklineProps) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length);
  const bars = values.flatMap((value, index) => {
    if (value === null || value <= 0) return [];
    const height = Math.max(1.5, (value / most) * HEIGHT);
    return [
      `M${round(index * step)} ${HEIGHT}v${round(-height)}h${round(Math.max(0.8, step - 1))}v${round(height)}z`,
    ];
  });
  return (
    <svg
      class={tone === undefined ? 'sparkline' : `sparkline ${tone}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={label}
    >
      <path class="sparkline-ground" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <path d={bars.join('')} />
    </svg>
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;
