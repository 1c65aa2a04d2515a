import type { Readable } from 'node:stream'
import type { ByteStream } from '../file-system.ts'

/** Chunks of a stream, one at a time; `dispose` ends what is behind it. */
export function byteStreamOf(
  stream: Readable,
  wrap: <T>(operation: () => Promise<T>) => Promise<T>,
  dispose: () => void = () => undefined,
): ByteStream {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return {
    next: () =>
      wrap(async () => {
        const { value, done } = await chunks.next()
        return done === true ? null : value
      }),
    async close() {
      // What is cut off says so as an error, which nobody waits for any more.
      stream.on('error', () => undefined)
      stream.destroy()
      dispose()
    },
  }
}
