import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FINISHED, parseConfigOrThrow, type SourceConnector, type SourceTaskContext } from '@millrace/sdk'
import { expect, test } from 'vitest'

test('the example of the README is a connector that counts and resumes', async () => {
  const readme = await readFile(new URL('../../../plugins/sdk/README.md', import.meta.url), 'utf8')
  const code = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? ''
  // The package does not resolve from a temporary folder.
  const sdk = new URL('../../../plugins/sdk/src/index.ts', import.meta.url).href
  const folder = await mkdtemp(join(tmpdir(), 'millrace-readme-'))
  try {
    await writeFile(join(folder, 'example.ts'), code.replace('@millrace/sdk', sdk))
    const module = (await import(pathToFileURL(join(folder, 'example.ts')).href)) as { default: SourceConnector }
    const connector = module.default
    const raw = { topic: 'numbers', limit: '3' }
    const stored = { number: 1 }
    const context = { offsets: { offset: async () => stored } } as unknown as SourceTaskContext
    const task = connector.createTask(parseConfigOrThrow(connector.config, raw), context)
    await task.start?.()
    const signal = new AbortController().signal
    expect(await task.poll(signal)).toMatchObject([{ topic: 'numbers', value: { number: 2 } }])
    expect(await task.poll(signal)).toMatchObject([{ sourceOffset: { number: 3 } }])
    expect(await task.poll(signal)).toBe(FINISHED)
    expect(() => parseConfigOrThrow(connector.config, { limit: '0' })).toThrow(/"topic"[^]*Value must be at least 1/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
