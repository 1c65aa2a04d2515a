import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { DataError } from '@millrace/sdk'
import type { ByteStream } from './file-system.ts'
import { type FramePiece, ZstdFrames } from './zstd-frames.ts'

const GZIP = new Set(['.gz'])
const ZSTD = new Set(['.zst', '.zstd'])
/** Endings that SpoolDir decompresses and this connector does not. */
const REFUSED: Readonly<Record<string, string>> = {
  '.bz2': 'bzip2',
  '.snappy': 'snappy',
  '.lz4': 'lz4',
  '.z': 'Unix compress',
}

const endingOf = (path: string): string => /\.[^./]+$/.exec(path)?.[0].toLowerCase() ?? ''

/** Whether positions in the file's data are other than those in the file. Throws DataError on a format that is not read. */
export function isCompressed(path: string): boolean {
  const ending = endingOf(path)
  const refused = REFUSED[ending]
  if (refused !== undefined) {
    throw new DataError(`files with the ending ${ending} (${refused}) are not read: compress with gzip or zstd`)
  }
  return GZIP.has(ending) || ZSTD.has(ending)
}

/** What is in a compressed file, from a position of its data on: all before it has to be decompressed too. */
export function decompressed(path: string, source: ByteStream, position: number): ByteStream {
  const chunks = ZSTD.has(endingOf(path)) ? zstdData(source) : decoded(chunksOf(source), createGunzip())
  let skip = position
  return {
    async next() {
      for (;;) {
        const { value, done } = await chunks.next().catch((error: unknown) => {
          const { code } = error as { code?: unknown }
          if (typeof code !== 'string' || !/^(Z_|ERR_ZLIB|ZSTD_)/.test(code)) throw error
          throw new DataError(`the compressed data is damaged (${code})`, { cause: error })
        })
        if (done === true) return null
        if (skip >= value.length) {
          skip -= value.length
          continue
        }
        const rest = skip === 0 ? value : value.subarray(skip)
        skip = 0
        return rest
      }
    },
    async close() {
      await chunks.return(undefined)
      await source.close()
    },
  }
}

/** The output of a decoder; ends it, and its input, when nobody reads on. */
async function* decoded(input: AsyncIterable<Buffer>, decoder: Transform): AsyncGenerator<Buffer, void> {
  const readable = Readable.from(input, { objectMode: false })
  // Failures come out of the decoder.
  const output = pipeline(readable, decoder, () => undefined)
  for await (const chunk of output) yield chunk as Buffer
}

/** Each frame has a decoder of its own: Node's ignores all behind the first. */
async function* zstdData(source: ByteStream): AsyncGenerator<Buffer, void> {
  const pieces = zstdPieces(source)
  for (let first = await pieces.next(); first.done !== true; first = await pieces.next()) {
    const frame = { isComplete: false }
    try {
      yield* decoded(frameOf(first.value, pieces, frame), createZstdDecompress())
    } catch (error) {
      // Node says so of a frame without data too, when its bytes come one by one.
      if (!frame.isComplete || (error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error
    }
  }
}

async function* frameOf(
  first: FramePiece,
  pieces: AsyncGenerator<FramePiece, void>,
  frame: { isComplete: boolean },
): AsyncGenerator<Buffer, void> {
  for (let piece = first; ; ) {
    frame.isComplete = piece.isEnd
    yield piece.bytes
    if (piece.isEnd) return
    const following = await pieces.next()
    if (following.done === true) return
    piece = following.value
  }
}

async function* zstdPieces(source: ByteStream): AsyncGenerator<FramePiece, void> {
  const frames = new ZstdFrames()
  for await (const chunk of chunksOf(source)) yield* frames.split(chunk)
  if (!frames.isBetweenFrames) throw new DataError('the compressed data is cut off')
}

/** The decoder reads later than it is given, so chunks are copied. */
async function* chunksOf(source: ByteStream): AsyncGenerator<Buffer, void> {
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) yield Buffer.from(chunk)
}
