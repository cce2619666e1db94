/** Jobs of the limited handler in its time. */
export const ALLOWED = Number(process.env.JOBS_ALLOW ?? 10);
