import { countText } from '../../util/text/count-text.js';

/** `1 dead letter`, `2 dead letters`. */
export const lettersText = (count: number): string => countText(count, 'dead letter');
