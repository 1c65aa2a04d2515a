import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTar, TarError, writeTar } from '../../../../src/cli/plugin/tar.ts'
import '../../property-settings.ts'

const file = (path: string, text: string) => ({ path, content: Buffer.from(text) })

/** A header of one's own, as another program may write it. */
function header(name: string, type: string, size: number, prefix = ''): Buffer {
  const bytes = Buffer.alloc(512)
  bytes.write(name, 0)
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  bytes.write(type, 156)
  bytes.write('ustar\x0000', 257)
  bytes.write(prefix, 345)
  bytes.fill(' ', 148, 156)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}

const archive = (...blocks: readonly Buffer[]) => gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)])

describe('an archive', () => {
  it('has what was put into it, whatever the names and sizes', async () => {
    const path = fc.array(
      fc.stringMatching(/^[a-zA-Z0-9ä._-]{1,60}$/).filter((part) => !/^\.+$/.test(part)),
      { minLength: 1, maxLength: 5 },
    )
    const files = fc.uniqueArray(
      fc.record({ path: path.map((parts) => parts.join('/')), content: fc.uint8Array({ maxLength: 2000 }) }),
      {
        selector: (one) => one.path,
      },
    )
    await fc.assert(
      fc.asyncProperty(files, async (all) => {
        const entries = all.map(({ path: name, content }) => ({ path: name, content: Buffer.from(content) }))
        const read = await readTar(await writeTar(entries))
        const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
        expect(read.map((one) => [one.path, one.content.toString('hex')])).toEqual(
          sorted.map((one) => [one.path, one.content.toString('hex')]),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('of the same files is the same bytes', async () => {
    const [one, two] = [file('a', '1'), file('b/c', '2')]
    expect((await writeTar([one, two])).equals(await writeTar([two, one]))).toBe(true)
  })

  it('may have folders, prefixes, long names of GNU and headers of pax', async () => {
    const long = 'd/'.repeat(80) + 'f'
    const tar = archive(
      header('package/', '5', 0),
      header('x', '0', 1, 'package/deep'),
      padded('1'),
      header('././@LongLink', 'L', long.length + 1),
      padded(`${long}\0`),
      header('cut', '0', 1),
      padded('2'),
      header('pax', 'x', 29),
      padded('14 mtime=1234\n15 path=p/name\n'),
      header('short', '0', 1),
      padded('3'),
    )
    expect((await readTar(tar)).map((one) => [one.path, one.content.toString()])).toEqual([
      ['package/deep/x', '1'],
      [long, '2'],
      ['p/name', '3'],
    ])
  })

  it.each([
    ['a path above', header('../x', '0', 0), 'leads out of the archive'],
    ['a path within that climbs', header('a/../../x', '0', 0), 'leads out of the archive'],
    ['an absolute path', header('/etc/x', '0', 0), 'leads out of the archive'],
    ['a path of Windows', header('a\\..\\x', '0', 0), 'leads out of the archive'],
    ['a symbolic link', header('a', '2', 0), 'neither a file nor a folder'],
    ['a hard link', header('a', '1', 0), 'neither a file nor a folder'],
    ['a file that is cut off', header('a', '0', 99_999), 'cut off'],
  ])('with %s is refused', async (_, block, message) => {
    const reading = readTar(archive(block))
    await expect(reading).rejects.toThrow(TarError)
    await expect(reading).rejects.toThrow(message)
  })

  it('that is damaged, or none, is refused', async () => {
    const bad = header('a', '0', 0)
    bad[0] = 0x62
    await expect(readTar(archive(bad))).rejects.toThrow('wrong checksum')
    await expect(readTar(Buffer.from('text'))).rejects.toThrow('no gzipped archive')
  })
})
