export interface MeterProps {
  /** From 0 to 1; what is more is drawn as full. */
  readonly share: number;
  /** Says the same as text, for those who don't see the bar. */
  readonly label: string;
  readonly tone?: 'bad' | 'warn' | undefined;
  /** Place of a mark, from 0 to 1: a limit, or a median. */
  readonly mark?: number | undefined;
}

const inside = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10;

/** A bar that is full at 1. */
export const Meter = ({ share, label, tone, mark }: MeterProps) => (
  <svg
    class={tone === undefined ? 'meter' : `meter ${tone}`}
    viewBox="0 0 100 8"
    preserveAspectRatio="none"
    role="img"
    aria-label={label}
  >
    <rect class="meter-ground" width="100" height="8" />
    <rect class="meter-fill" width={inside(share)} height="8" />
    {mark === undefined ? null : (
      <rect class="meter-mark" x={Math.min(99, inside(mark))} width="1" height="8" />
    )}
  </svg>
);
