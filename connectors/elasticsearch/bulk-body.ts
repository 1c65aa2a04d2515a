import type { Operation } from './operation.ts'

/** The most bytes that UTF-8, or an escape of JSON, has for one unit of UTF-16. */
const UNIT_BYTES = 3
const ESCAPED_UNIT_BYTES = 6
/** Quotes around an id, and the digits of a version. */
const AROUND_BYTES = 24
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** About how many bytes an operation takes: text is counted by its characters. */
export function sizeOf({ frame, id, document }: Operation): number {
  const { beforeId, beforeVersion, beforeDocument, afterDocument } = frame
  const around = beforeId.length + beforeVersion.length + beforeDocument.length + afterDocument.length
  return around + (id?.length ?? 0) + AROUND_BYTES + document.length
}

/** The most bytes that a body of these operations takes. */
export function mostBytesOf(operations: readonly Operation[]): number {
  let most = 0
  for (const operation of operations) {
    const { id, document } = operation
    most += sizeOf(operation) + ESCAPED_UNIT_BYTES * (id?.length ?? 0)
    if (typeof document === 'string') most += (UNIT_BYTES - 1) * document.length
  }
  return most
}

/** Writes the body of a bulk request into memory that is large enough. */
export function bodyOf(operations: readonly Operation[], memory: Buffer): Buffer {
  let at = 0
  for (const { frame, id, version, document } of operations) {
    at = copy(frame.beforeId, memory, at)
    if (id !== null) at = writeQuoted(id, memory, at)
    if (version !== null) {
      at = copy(frame.beforeVersion, memory, at)
      at += memory.write(String(version), at, 'latin1')
    }
    at = copy(frame.beforeDocument, memory, at)
    at = typeof document === 'string' ? at + memory.write(document, at) : copy(document, memory, at)
    at = copy(frame.afterDocument, memory, at)
  }
  return memory.subarray(0, at)
}

function copy(bytes: Uint8Array, memory: Buffer, at: number): number {
  memory.set(bytes, at)
  return at + bytes.length
}

/** Ids are short and hardly ever more than ASCII: written here it takes less than the calls into the engine. */
function writeQuoted(text: string, memory: Buffer, start: number): number {
  let at = start
  memory[at++] = QUOTE
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 || unit >= 0x80 || unit === QUOTE || unit === BACKSLASH) {
      return start + memory.write(JSON.stringify(text), start)
    }
    memory[at++] = unit
  }
  memory[at++] = QUOTE
  return at
}
