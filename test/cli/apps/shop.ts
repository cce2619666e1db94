import * as hopline from 'hopline';
import { shopOf } from './shop-of.js';

/** An application as a command loads it. */
export const bus = shopOf(hopline);
