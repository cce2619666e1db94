import type uPlot from 'uplot';
import type { ChartData } from '../../ui/chart/chart-data.js';

/** The figures at the pointer. The same ones can be read in the table below the chart, without a pointer. */
export function hintOf(
  chart: HTMLElement,
  lines: ChartData['lines'],
  text: (value: number) => string,
): uPlot.Plugin {
  let hint: HTMLElement | undefined;
  return {
    hooks: {
      ready: () => {
        hint = document.createElement('span');
        hint.className = 'chart-hint';
        hint.hidden = true;
        chart.append(hint);
      },
      setCursor: ({ cursor: { idx }, data }) => {
        const at = idx === null || idx === undefined ? undefined : data[0][idx];
        if (!hint) return;
        hint.hidden = at === undefined;
        if (at === undefined) return;
        const time = new Date(at * 1_000).toLocaleTimeString('en-GB');
        const values = lines.map(
          ({ label, values: all }) => `${label} ${knownText(all[idx as number], text)}`,
        );
        hint.textContent = [time, ...values].join('   ');
      },
      destroy: () => hint?.remove(),
    },
  };
}

const knownText = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? '–' : text(value);
