import { randomBytes, randomUUID } from 'node:crypto'
import type { Random } from '../random.ts'

/** The machine's cryptographic randomness. */
export const realRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
}
