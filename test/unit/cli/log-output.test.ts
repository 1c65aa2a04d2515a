import { expect, test } from 'vitest'
import { createLogOutput, type WriteBytes } from '../../../src/cli/log-output.ts'

/** A descriptor whose every write the test answers. */
function scripted() {
  const writes: { readonly text: string; readonly done: Parameters<WriteBytes>[2] }[] = []
  const output = createLogOutput(1, (_fd, bytes, done) => void writes.push({ text: bytes.toString(), done }))
  return { output, writes }
}

const failure = (code: string) => Object.assign(new Error(code), { code })

test('lines wait for the write before them and go out together, also when a write takes only a part', async () => {
  const { output, writes } = scripted()
  output.write('one\n')
  output.write('two\n')
  output.write('three\n')
  const drained = output.drained(60_000)
  writes[0]?.done(null, 2)
  writes[1]?.done(null, 2)
  writes[2]?.done(null, 10)
  expect(writes.map(({ text }) => text)).toEqual(['one\n', 'e\n', 'two\nthree\n'])
  await drained
})

test('a full pipe is tried again', async () => {
  const { output, writes } = scripted()
  output.write('one\n')
  writes[0]?.done(failure('EAGAIN'), 0)
  await expect.poll(() => writes.length, { timeout: 60_000 }).toBe(2)
  expect(writes[1]?.text).toBe('one\n')
})

test('a reader that is gone gets nothing more and is not waited for', async () => {
  const { output, writes } = scripted()
  output.write('one\n')
  output.write('two\n')
  const drained = output.drained(60_000)
  writes[0]?.done(failure('EPIPE'), 0)
  await drained
  output.write('three\n')
  await output.drained(60_000)
  expect(writes).toHaveLength(1)
})

test('a reader that is too slow is told how many lines it did not get', () => {
  const { output, writes } = scripted()
  const line = `${'x'.repeat(999_999)}\n`
  output.write('first\n')
  for (let i = 0; i < 20; i++) output.write(line)
  writes[0]?.done(null, 6)
  expect(writes[1]?.text.length).toBeLessThan(16_000_200)
  expect(writes[1]?.text).toContain('"msg":"4 log lines were left out"')
})

test('a reader that never reads is waited for no longer than the limit', async () => {
  const { output } = scripted()
  output.write('one\n')
  await output.drained(1)
})
