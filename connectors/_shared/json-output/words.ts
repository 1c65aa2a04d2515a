let viewed: Uint8Array = new Uint8Array(0)
let view = new DataView(viewed.buffer)

/**
 * A view that reads four bytes at once wherever they are. The rows of a chunk come one after another, so the last one
 * is remembered.
 */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  return view
}
