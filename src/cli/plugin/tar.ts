import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

/** A file of an archive. */
export interface TarFile {
  readonly path: string
  readonly content: Buffer
}

/** What is in an archive cannot be read, or is not what a package may have. */
export class TarError extends Error {
  override name = 'TarError'
}

const BLOCK = 512
const MAX_UNPACKED_BYTES = 2 ** 31 - 1
/** Type flags of POSIX: a file, also as old tars write it; a folder; extended headers of one file and of all; GNU's long name. */
const FILE = new Set(['0', '\0'])
const FOLDER = '5'
const PAX = 'x'
const PAX_GLOBAL = 'g'
const GNU_LONG_NAME = 'L'

const gunzipLater = promisify(gunzip)
const gzipLater = promisify(gzip)

/**
 * The files of a gzipped tar archive, such as npm's. Links and devices are refused, and paths that lead out of the archive:
 * what is unpacked from it stays where it is put.
 */
export async function readTar(archive: Buffer): Promise<readonly TarFile[]> {
  const tar = await unzip(archive)
  const files: TarFile[] = []
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) break
    if (checksumOf(header) !== octal(header, 148, 8)) throw new TarError('it is damaged: a header has a wrong checksum')
    const size = octal(header, 124, 12)
    const content = tar.subarray(at + BLOCK, at + BLOCK + size)
    if (content.length < size) throw new TarError('it is damaged: the last file is cut off')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const type = String.fromCharCode(header[156] ?? 0)
    if (type === PAX) longName = paxPath(content) ?? longName
    else if (type === GNU_LONG_NAME) longName = text(content, 0, content.length)
    else if (type === PAX_GLOBAL || type === FOLDER) longName = undefined
    else {
      const path = longName ?? nameOf(header)
      longName = undefined
      if (!FILE.has(type)) throw new TarError(`${path} is neither a file nor a folder`)
      files.push({ path: safePath(path), content })
    }
  }
  return files
}

async function unzip(archive: Buffer): Promise<Buffer> {
  try {
    return await gunzipLater(archive, { maxOutputLength: MAX_UNPACKED_BYTES })
  } catch (error) {
    throw new TarError(`it is no gzipped archive: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Makes a gzipped tar archive. The same files give the same bytes: there are no times or owners in it. */
export async function writeTar(files: readonly TarFile[]): Promise<Buffer> {
  const blocks: Buffer[] = []
  const add = (name: string, type: string, content: Buffer) => {
    blocks.push(headerOf(name, type, content.length), content)
    const rest = content.length % BLOCK
    if (rest > 0) blocks.push(Buffer.alloc(BLOCK - rest))
  }
  for (const { path, content } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    if (Buffer.byteLength(path) > 100) add('pax', PAX, paxRecord('path', path))
    add(path, '0', content)
  }
  blocks.push(Buffer.alloc(2 * BLOCK))
  return gzipLater(Buffer.concat(blocks))
}

function headerOf(name: string, type: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  Buffer.from(name).copy(header, 0, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** `<length> path=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (length !== Buffer.byteLength(`${length}${rest}`)) length = Buffer.byteLength(`${length}${rest}`)
  return Buffer.from(`${length}${rest}`)
}

function paxPath(content: Buffer): string | undefined {
  let path: string | undefined
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at)
    const length = Number(content.toString('latin1', at, space))
    if (space < 0 || !Number.isInteger(length) || length <= 0)
      throw new TarError('it is damaged: a pax header is no text')
    const record = content.toString('utf8', space + 1, at + length - 1)
    if (record.startsWith('path=')) path = record.slice('path='.length)
    at += length
  }
  return path
}

/** The sum of all bytes of a header, its own field counted as spaces. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0
  return sum
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100)
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function text(bytes: Buffer, start: number, length: number): string {
  const end = bytes.indexOf(0, start)
  return bytes.toString('utf8', start, end < 0 || end > start + length ? start + length : end)
}

function octal(header: Buffer, start: number, length: number): number {
  const digits = text(header, start, length).trim()
  if (!/^[0-7]*$/.test(digits)) throw new TarError('it is damaged: a header has no size')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function safePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\\') || parts.includes('..') || parts.length === 0) {
    throw new TarError(`${JSON.stringify(path)} leads out of the archive`)
  }
  return parts.join('/')
}
