/** Randomness as a parameter, so that a seed reproduces a run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
  /** A random UUID in its 36-character text form. */
  uuid(): string
}

/** A seeded generator (xorshift32) for simulations and tests; not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 0x9e3779b9
  const next32 = () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => next32() & 0xff))
  return {
    next: () => next32() / 0x1_0000_0000,
    bytes,
    uuid: () => {
      const raw = bytes(16)
      raw[6] = (raw[6]! & 0x0f) | 0x40
      raw[8] = (raw[8]! & 0x3f) | 0x80
      return raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    },
  }
}
