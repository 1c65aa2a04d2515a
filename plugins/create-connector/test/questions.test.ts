import { PassThrough } from 'node:stream'
import { createInterface } from 'node:readline/promises'
import { expect, test } from 'vitest'
import { parseOptions } from '../src/options.ts'
import { ask, defaultAnswers } from '../src/questions.ts'

/** Asks with somebody who answers each question in turn. */
async function conversation(
  args: readonly string[],
  answers: readonly string[],
  signal = new AbortController().signal,
) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const left = [...answers]
  const asked: string[] = []
  output.on('data', (chunk: Buffer) => {
    asked.push(chunk.toString('utf8').trim())
    const answer = left.shift()
    if (answer !== undefined) input.write(`${answer}\n`)
  })
  const terminal = createInterface({ input, output })
  const said: string[] = []
  try {
    return { result: await ask(parseOptions(args), terminal, signal, (text) => said.push(text)), asked, said }
  } finally {
    terminal.close()
  }
}

test('everything is asked for, and an empty answer takes the default', async () => {
  const { result, asked } = await conversation([], ['connector-drawer', 'sink', '', 'mit', 'Ada', ''])
  expect(asked).toHaveLength(6)
  expect(result).toMatchObject({ type: 'sink', licence: 'MIT', author: 'Ada', repository: undefined })
  expect(result).toMatchObject({ description: 'Millrace sink connector: topics into drawer' })
  expect(result.names.package).toBe('connector-drawer')
})

test('a wrong answer is explained and asked for again', async () => {
  const answers = ['Bad Name', 'drawer', 'fountain', 'source', 'What it does', 'Apache-2.0', 'Ada', 'acme/drawer']
  const { result, said } = await conversation([], answers)
  expect(said).toEqual([expect.stringContaining('"Bad Name"'), expect.stringContaining('"fountain"')])
  expect(result).toMatchObject({ type: 'source', description: 'What it does', repository: 'acme/drawer' })
})

test('what the options say is not asked for', async () => {
  const args = ['drawer', '--type', 'sink', '--description', 'd', '--license', 'MIT', '--author', 'Ada']
  const { asked } = await conversation([...args, '--repository', 'acme/drawer'], [])
  expect(asked).toEqual([])
})

test('an interruption ends the questions', async () => {
  const abort = new AbortController()
  const asking = conversation([], [], abort.signal)
  abort.abort()
  await expect(asking).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('without questions only the name is needed', () => {
  expect(defaultAnswers(parseOptions(['drawer']))).toMatchObject({ type: 'source', licence: 'Apache-2.0' })
  expect(() => defaultAnswers(parseOptions([]))).toThrow('the name of the package is missing')
})
