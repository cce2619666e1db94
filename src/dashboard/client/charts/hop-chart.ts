import uPlot from 'uplot';
import type { ChartData } from '../../ui/chart/chart-data.js';
import { THEME_CHANGED } from '../theme.js';
import { optionsOf } from './options.js';

const HEIGHT = 168;

/** `hop-chart`: draws its attribute `data` in place of the still picture within it, and goes on with newer data. */
class HopChart extends HTMLElement {
  static observedAttributes = ['data'];

  private plot: uPlot | undefined;
  private lines = '';
  private readonly size = new ResizeObserver(() => this.fit());
  private readonly repaint = () => this.draw(true);

  connectedCallback(): void {
    this.size.observe(this);
    document.addEventListener(THEME_CHANGED, this.repaint);
    this.draw(true);
  }

  disconnectedCallback(): void {
    this.size.disconnect();
    document.removeEventListener(THEME_CHANGED, this.repaint);
    this.plot?.destroy();
    this.plot = undefined;
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.draw(false);
  }

  private draw(anew: boolean): void {
    const data = this.data;
    // Without a value there is a sentence that says why, in the view.
    const isEmpty = !data?.lines.some(({ values }) => values.some((value) => value !== null));
    if (!data || isEmpty) {
      this.clear();
      return;
    }
    const lines = JSON.stringify([data.unit, data.lines.map(({ label, kind }) => [label, kind])]);
    if (this.plot && !anew && lines === this.lines) {
      this.plot.setData(valuesOf(data));
      return;
    }
    this.clear();
    this.lines = lines;
    const size = { width: this.clientWidth, height: HEIGHT };
    this.plot = new uPlot({ ...optionsOf(this, data), ...size }, valuesOf(data), this);
    this.setAttribute('drawn', '');
  }

  private clear(): void {
    this.plot?.destroy();
    this.plot = undefined;
    this.removeAttribute('drawn');
  }

  private fit(): void {
    const { clientWidth: width, plot } = this;
    if (plot && width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }

  private get data(): ChartData | undefined {
    const text = this.getAttribute('data');
    return text ? (JSON.parse(text) as ChartData) : undefined;
  }
}

function valuesOf({ from, stepMs, lines }: ChartData): uPlot.AlignedData {
  const longest = Math.max(0, ...lines.map(({ values }) => values.length));
  const times = Array.from({ length: longest }, (_, at) => (from + at * stepMs) / 1_000);
  return [times, ...lines.map(({ values }) => [...values])];
}

export function defineCharts(): void {
  customElements.define('hop-chart', HopChart);
}
