import { createRequire } from 'node:module'
import * as wasm from '@platformatic/wasm-utils'

/** CRC-32C (Castagnoli) of `buffer[start, end)`, continuing from `seed` (the CRC of what came before). */
export type Crc32c = (buffer: Uint8Array, start?: number, end?: number, seed?: number) => number

interface NativeModule {
  crc32c(input: Uint8Array, initialState?: number): number
}

/** The N-API build, an optional dependency: undefined on a platform that has none. */
export function loadNativeCrc32c(): Crc32c | undefined {
  let native: NativeModule
  try {
    native = createRequire(import.meta.url)('@node-rs/crc32') as NativeModule
  } catch {
    return undefined
  }
  return (buffer, start = 0, end = buffer.length, seed = 0) =>
    native.crc32c(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end), seed)
}

const POLYNOMIAL = 0x82f63b78

function bitwise(buffer: Uint8Array, seed: number): number {
  let register = ~seed
  for (const byte of buffer) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ POLYNOMIAL : register >>> 1
  }
  return ~register >>> 0
}

/** The WebAssembly build, which works everywhere. */
export const wasmCrc32c: Crc32c = (buffer, start = 0, end = buffer.length, seed = 0) => {
  const view = buffer.subarray(start, end)
  // Views of length zero trip the library once its memory has grown, and short ones are not worth the call.
  if (view.length < 4) return bitwise(view, seed)
  if (seed === 0) return wasm.crc32c(view)
  // CRC is linear: starting from a seed equals starting from zero with the seed folded into the first four bytes.
  const folded = new Uint8Array(view)
  for (let i = 0; i < 4; i++) folded[i] = folded[i]! ^ ((seed >>> (8 * i)) & 0xff)
  return wasm.crc32c(folded)
}

/** The fastest implementation of this machine, picked once. (`zlib.crc32` is another polynomial.) */
export const crc32c: Crc32c = loadNativeCrc32c() ?? wasmCrc32c
