import { Readable } from 'node:stream'
import { RetriableError } from '@millrace/sdk'
import type { Content } from '../../buffers/index.ts'
import { type FileSystem, folderOf, joinPath, nameOf } from '../file-system.ts'

const PIECE_BYTES = 131_072

/** How a system writes what is whole only at its end, and what stands in its place then. */
interface WholeFileSteps {
  /** Writes a file of these bytes, in place of what a broken attempt left. */
  write(part: string, bytes: Readable): Promise<void>
  /** Gives a file another name, in place of one that has it. */
  replace(from: string, to: string): Promise<void>
}

/**
 * Writes a file under a hidden name and gives it its own when it is whole. The hidden name is always the same, so that the
 * next attempt takes the place of what a crash left.
 */
export async function storeByRename(
  system: Pick<FileSystem, 'label' | 'stat'>,
  path: string,
  content: Content,
  { write, replace }: WholeFileSteps,
): Promise<void> {
  const folder = folderOf(path)
  const hidden = `.${nameOf(path)}.part`
  const part = folder === '' ? (path.startsWith('/') ? `/${hidden}` : hidden) : joinPath(folder, hidden)
  const bytes = Readable.from(pieces(content), { objectMode: false })
  try {
    await write(part, bytes)
  } finally {
    bytes.destroy()
  }
  const length = (await system.stat(part))?.length ?? 0
  if (length !== content.size) {
    throw new RetriableError(`${system.label}${part}: ${length} of ${content.size} bytes arrived`)
  }
  await replace(part, path)
}

async function* pieces(content: Content): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.size; start += PIECE_BYTES) {
    yield await content.read(start, Math.min(content.size, start + PIECE_BYTES))
  }
}
