import type uPlot from 'uplot';
import type { ChartData, LineKind } from '../../ui/chart/chart-data.js';
import { UNIT_TEXT } from '../../ui/text.js';
import { hintOf } from './hint.js';

const DASHES: Readonly<Record<LineKind, number[]>> = { main: [], second: [5, 4], third: [1.5, 3], bad: [] };

/** How uPlot draws it: in the colours that the still picture has by the style sheet. */
export function optionsOf(
  chart: HTMLElement,
  { unit, lines }: ChartData,
): Omit<uPlot.Options, 'width' | 'height'> {
  const style = getComputedStyle(chart);
  const font = `12px ${style.fontFamily}`;
  const quiet = colorOf(chart.querySelector('.chart-most'), 'color') || style.color;
  const axis = { stroke: quiet, font, ticks: { show: false } };
  const grid = { stroke: withAlpha(quiet), width: 1 };
  const text = UNIT_TEXT[unit];
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'hopline' }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        gap: 6,
        values: (_, splits, __, ___, step) => splits.map((at) => timeText(at, step)),
      },
      { ...axis, grid, size: 62, gap: 6, values: (_, splits) => splits.map(text) },
    ],
    series: [
      {},
      ...lines.map(({ label, kind }, at) => ({
        label,
        stroke: colorOf(chart.querySelectorAll('path').item(at), 'stroke') || style.color,
        width: 1.75,
        dash: DASHES[kind],
        points: { size: 4 },
      })),
    ],
    plugins: [hintOf(chart, lines, text)],
  };
}

const DAY = 24 * 60 * 60;

/** The browser's time of a mark, or its day where marks are days apart. @param at in seconds @param step between two marks */
function timeText(at: number, step: number): string {
  const date = new Date(at * 1_000);
  if (step >= DAY) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return date.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(step < 60 && { second: '2-digit' }),
  });
}

function colorOf(element: Element | null, property: 'color' | 'stroke'): string {
  return element ? getComputedStyle(element)[property] : '';
}

const withAlpha = (color: string): string =>
  color.replace(/^rgb\((.+)\)$/, 'rgb($1 / 22%)').replaceAll(',', '');
