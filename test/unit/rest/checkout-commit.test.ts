import { expect, test } from 'vitest'
import { checkoutCommit } from '../../../src/rest/index.ts'

const COMMIT = '26b251a451ce941d0123456789abcdef01234567'

function commitOf(files: Readonly<Record<string, string>>): string {
  const disk = {
    exists: (path: string) => path in files,
    readFile: (path: string) => Buffer.from(files[path] ?? ''),
  }
  return checkoutCommit(disk, '/repo')
}

test.each([
  ['of a branch', { '/repo/.git/HEAD': 'ref: refs/heads/main\n', '/repo/.git/refs/heads/main': `${COMMIT}\n` }],
  [
    'of a branch whose refs are packed',
    {
      '/repo/.git/HEAD': 'ref: refs/heads/main\n',
      '/repo/.git/packed-refs': `# pack-refs with: peeled\n${'f'.repeat(40)} refs/heads/other\n${COMMIT} refs/heads/main\n`,
    },
  ],
  ['without a branch', { '/repo/.git/HEAD': `${COMMIT}\n` }],
])('the commit of a checkout %s', (_, files) => {
  expect(commitOf(files as unknown as Record<string, string>)).toBe('26b251a451ce941d')
})

test.each([
  ['no history', {}],
  ['no commit yet', { '/repo/.git/HEAD': 'ref: refs/heads/main\n' }],
  ['a HEAD that is none', { '/repo/.git/HEAD': 'ref: ../../etc/passwd\n' }],
])('%s is unknown', (_, files) => {
  expect(commitOf(files as unknown as Record<string, string>)).toBe('unknown')
})
