import type { View } from '../view.js';
import type { OverviewModel } from './model.js';

export const OverviewView: View<OverviewModel> = ({ model }) => (
  <section>
    <h1>Overview</h1>
    <p>
      {model.broker}: {model.reached ? `${model.processes} processes` : 'not reached'}
    </p>
  </section>
);
