import type { Readable } from 'node:stream'

/**
 * Reads what is left of a body and forgets it, so that a client that still sends gets to hear the answer: to one whose
 * connection is closed meanwhile the reset may come first (RFC 9112, section 9.6). Ends after so many bytes in any case.
 */
export function discardBody(body: Readable, bytesMax: number): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0
    body.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return
      body.pause()
      resolve()
    })
    for (const event of ['end', 'close', 'error']) body.once(event, () => resolve())
    body.resume()
  })
}
