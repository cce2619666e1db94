import type { Type } from '@nestjs/common';
import { draining } from './draining.js';
import * as golevelup from './golevelup/index.js';
import * as hopline from './hopline/index.js';
import { Billing as MovingBilling } from './moving/billing.js';

/** Where a part is on its way. While it moves, golevelup's handler empties the old queue, and Hopline's has the new one. */
export type Step = 'golevelup' | 'moving' | 'hopline';

/** The classes of each part at each step. A handler may have both decorators, or a class of each library. */
export const PARTS: Readonly<Record<string, Readonly<Record<Step, () => Type[]>>>> = {
  billing: {
    golevelup: () => [golevelup.Billing],
    moving: () => [MovingBilling],
    hopline: () => [hopline.Billing],
  },
  mailer: {
    golevelup: () => [golevelup.Mailer],
    moving: () => [draining(golevelup.Mailer), hopline.Mailer],
    hopline: () => [hopline.Mailer],
  },
  quotes: {
    golevelup: () => [golevelup.Quotes],
    moving: () => [draining(golevelup.Quotes), hopline.Quotes],
    hopline: () => [hopline.Quotes],
  },
  checkout: {
    golevelup: () => [golevelup.Checkout],
    moving: () => [golevelup.Checkout, hopline.Checkout],
    hopline: () => [hopline.Checkout],
  },
};
