import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import { constants, createGzip, createZstdCompress, gzip, zstdCompress } from 'node:zlib'

/** Compresses an object as a whole: one gzip member or zstd frame, since not every reader goes on behind the first. */
export interface Compression {
  readonly extension: string
  compress(bytes: Uint8Array): Promise<Uint8Array>
  /** For what is larger than memory should hold. */
  stream(): Transform
}

/** The compression of whole objects: null for none. */
export function compressionOf(type: 'none' | 'gzip' | 'zstd', level: number): Compression | null {
  if (type === 'gzip') {
    const options = { level: Math.min(level, 9) }
    const pack = promisify(gzip)
    return { extension: '.gz', compress: async (bytes) => pack(bytes, options), stream: () => createGzip(options) }
  }
  if (type === 'zstd') {
    const options = level < 0 ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } }
    const pack = promisify(zstdCompress)
    return {
      extension: '.zst',
      compress: async (bytes) => pack(bytes, options),
      stream: () => createZstdCompress(options),
    }
  }
  return null
}
