import { expect, test } from 'vitest'
import { sourceFiles, textOf } from './files.ts'

/** What may not be called directly, and what to take instead. */
const BANNED: readonly { pattern: RegExp; instead: string }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, instead: 'clock.now()' },
  { pattern: /\bperformance\.now\(/, instead: 'clock.monotonicMs()' },
  { pattern: /\bMath\.random\(/, instead: 'random.next()' },
  { pattern: /\b(setTimeout|setInterval)\(/, instead: 'clock.setTimer()' },
  { pattern: /from 'node:(fs|fs\/promises|net|tls|dgram)'/, instead: 'the disk or net parameter' },
  { pattern: /\bprocess\.env\b/, instead: 'a configuration key' },
]

/** Places where the real world is entered. */
const FREE = [
  /^src\/base\/real\//,
  /^src\/cli\//,
  /^src\/server\.ts$/,
  /^src\/connect\/host\//,
  /^src\/connect\/plugins\//,
  /^src\/protocol\/generator\//,
]

function bannedCalls(file: string, text: string): string[] {
  if (FREE.some((free) => free.test(file))) return []
  return text.split('\n').flatMap((line, index) => {
    // A comment says nothing, and a type does nothing.
    if (/^\s*(\/\/|\*|\/\*|import type )/.test(line)) return []
    return BANNED.filter(({ pattern }) => pattern.test(line)).map(
      ({ instead }) => `${file}:${index + 1}: use ${instead} instead of: ${line.trim()}`,
    )
  })
}

test('time, randomness, disk and network are parameters', () => {
  expect(sourceFiles('src', 'transforms').flatMap((file) => bannedCalls(file, textOf(file)))).toEqual([])
})

test.each([
  'const t = Date.now()',
  'const p = performance.now()',
  'const r = Math.random()',
  'setTimeout(f, 1)',
  "import fs from 'node:fs'",
  'const home = process.env.HOME',
])('the checker sees: %s', (line) => {
  expect(bannedCalls('src/log/a.ts', line)).toHaveLength(1)
})
