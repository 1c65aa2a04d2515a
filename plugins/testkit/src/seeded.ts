/** A stream of numbers that follow from a seed: a failure is repeated by its seed. */
export interface Seeded {
  /** A whole number from 0 to `below`, which is left out. */
  below(below: number): number
}

/** Mulberry32: small, and even enough to choose points in a run. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  return {
    below(below) {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below
    },
  }
}
