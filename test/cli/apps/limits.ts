/** Jobs of the limited handler in its time. */
export const ALLOWED = 10;
