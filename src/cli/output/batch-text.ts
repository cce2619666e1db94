import type { StoredBatch } from '../../stores/batches.js';

const BAR_WIDTH = 30;

/** `[###############---------------]  50 %` */
export function barOf({ progress }: StoredBatch): string {
  const filled = Math.round((progress * BAR_WIDTH) / 100);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${String(progress).padStart(3)} %`;
}
