import type { ComponentChildren } from 'preact';
import { Unknown } from '../figures/unknown.js';
import { momentText, UNIT_TEXT, type Unit } from '../text.js';
import { type ChartData, type ChartLine, type ChartSeries, lastOf } from './chart-data.js';
import { pathOf } from './path.js';

export interface ChartProps {
  readonly title: string;
  readonly unit: Unit;
  /** With the same times; see `thinned`. */
  readonly lines: readonly ChartLine[];
  /** Why nothing is drawn, if no line has a value. */
  readonly empty?: string | undefined;
}

/** Rows of the figures beside the picture. */
const ROWS = 12;

/** Lines over time. Without script it is a still picture; its figures can be read in a table. */
export function Chart({ title, unit, lines, empty = 'Nothing is known of this time yet.' }: ChartProps) {
  const text = UNIT_TEXT[unit];
  const most = Math.max(0, ...lines.flatMap(({ series }) => series.values.map((value) => value ?? 0)));
  const known = lines.some(({ series }) => lastOf(series) !== undefined);
  const { from = 0, stepMs = 1, values = [] } = lines[0]?.series ?? {};
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <ul class="legend">
          {lines.map(({ label, kind, series }) => {
            const last = lastOf(series);
            return (
              <li key={label} class={kind}>
                {label} <span class="num">{last === undefined ? <Unknown /> : text(last)}</span>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <hop-chart data={JSON.stringify(dataOf(unit, lines))} role="img" aria-label={`${title}, over time`}>
        <svg viewBox="0 0 600 160" preserveAspectRatio="none" aria-hidden="true">
          {lines.map(({ label, kind, series }) => (
            <path key={label} class={`line ${kind}`} d={pathOf(series.values, most, 600, 160)} />
          ))}
        </svg>
        <span class="chart-most num">{known ? text(most) : ''}</span>
        {known ? null : <span class="chart-empty">{empty}</span>}
      </hop-chart>
      <details class="chart-figures">
        <summary>Figures</summary>
        <FiguresTable title={title} lines={lines} text={text} times={{ from, stepMs, values }} />
      </details>
    </figure>
  );
}

const dataOf = (unit: Unit, lines: readonly ChartLine[]): ChartData => ({
  unit,
  from: lines[0]?.series.from ?? 0,
  stepMs: lines[0]?.series.stepMs ?? 1,
  lines: lines.map(({ label, kind, series }) => ({ label, kind, values: series.values })),
});

interface FiguresProps extends Pick<ChartProps, 'title' | 'lines'> {
  readonly times: ChartSeries;
  text(value: number): string;
}

function FiguresTable({ title, lines, times, text }: FiguresProps) {
  const per = Math.max(1, Math.ceil(times.values.length / ROWS));
  const ends: number[] = [];
  for (let end = times.values.length - 1; end >= 0; end -= per) ends.push(end);
  return (
    <table>
      <caption class="visually-hidden">{title}</caption>
      <thead>
        <tr>
          <th scope="col">Until</th>
          {lines.map(({ label }) => (
            <th key={label} scope="col" class="number">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {ends.map((end) => (
          <tr key={end}>
            <th scope="row" class="number">
              {momentText(times.from + end * times.stepMs)?.slice(11)}
            </th>
            {lines.map(({ label, series }) => (
              <td key={label} class="number">
                {cellOf(series.values.slice(Math.max(0, end - per + 1), end + 1), text)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function cellOf(values: readonly (number | null)[], text: (value: number) => string) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? <Unknown /> : text(known.reduce((sum, value) => sum + value, 0) / known.length);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      /** Draws its attribute `data` with uPlot, in the browser; what is in it is seen without script. */
      'hop-chart': { data: string; role: 'img'; 'aria-label': string; children?: ComponentChildren };
    }
  }
}
