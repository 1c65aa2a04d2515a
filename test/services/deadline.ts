/**
 * How long tests and services wait for what should happen soon. Machines may be slow and busy, and only what never
 * happens takes so long. Less than the time-out of a test (vitest.config.ts), so that a failure says what was waited for.
 */
export const DEADLINE_MS = 120_000
