/** Numbers that depend on nothing but the seed, the task and the iteration, so a task that resumes gives the same data. */
export interface Draw {
  /** A whole number between two bounds, both included. */
  int(min: number, max: number): number
  /** A number from 0 up to, not including, 1. */
  fraction(): number
  one<T>(of: readonly T[]): T
}

/** The generator of one iteration (mulberry32 over a mixed seed). */
export function drawFor(seed: number, task: number, iteration: number): Draw {
  let state = mix(
    mix(mix(seed | 0, Math.floor(seed / 2 ** 32) | 0), task),
    mix(iteration | 0, Math.floor(iteration / 2 ** 32)),
  )
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    fraction,
    int: (min, max) => min + Math.floor(fraction() * (max - min + 1)),
    one: (of) => of[Math.floor(fraction() * of.length)] as (typeof of)[number],
  }
}

function mix(a: number, b: number): number {
  let value = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ (b >>> 16), 0xc2b2ae35)
  value = Math.imul(value ^ (value >>> 13), 0x27d4eb2f)
  return value ^ (value >>> 15)
}
