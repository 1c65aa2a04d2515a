import type { ZoneOffset } from './zone.ts'

const DAY_MS = 86_400_000

/** The next time that is a whole number of intervals after midnight in a zone. */
export function nextRotation(nowMs: number, intervalMs: number, offsetAt: ZoneOffset): number {
  const offset = offsetAt(nowMs)
  const local = nowMs + offset
  const midnight = Math.floor(local / DAY_MS) * DAY_MS
  return midnight + (Math.floor((local - midnight) / intervalMs) + 1) * intervalMs - offset
}
