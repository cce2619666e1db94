import { segmentOf } from '../addresses.js';

export const chainPath = (chain: string): string => `/chains/${segmentOf(chain)}`;
