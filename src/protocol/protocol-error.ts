/** Bytes that are not a valid message, or a value that the wire form cannot carry. The connection it came from must be closed. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
  readonly code = 'PROTOCOL_ERROR'
}
