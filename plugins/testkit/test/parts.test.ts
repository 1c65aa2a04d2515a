import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Decimal, decimalSchema, mapOf, schemas, type SinkRecord, struct } from '@millrace/sdk'
import { testkitVersion } from '@millrace/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { claimedGuarantee, provedGuarantee } from '../src/guarantee.ts'
import { live } from '../src/life-owner.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { SinkTopic } from '../src/sink-topic.ts'
import { packRecords, unpackRecords } from '../src/transfer.ts'

test('reports name the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(testkitVersion).toBe(version)
})

test('records reach a process as they were, and share their schemas there', () => {
  const schema = struct(
    { price: decimalSchema(2), counts: mapOf(schemas.string, schemas.int64) },
    { name: 'A', version: 3 },
  )
  const topic = new SinkTopic('t', 1)
  for (const unscaled of [125n, -3n]) {
    const value = { price: new Decimal(unscaled, 2), counts: new Map([['x', 9_007_199_254_740_993n]]) }
    topic.append(0, { key: Buffer.of(1), keySchema: schemas.bytes, value, valueSchema: schema })
  }
  const sent = structuredClone(packRecords(topic.all()))
  const came = unpackRecords(sent)
  const plain = (record: SinkRecord) => ({
    ...record,
    key: [...(record.key as Buffer)],
    keySchema: record.keySchema?.type,
    valueSchema: record.valueSchema?.name,
  })
  expect(came.map(plain)).toEqual(topic.all().map(plain))
  expect(came[0]?.valueSchema).toBe(came[1]?.valueSchema)
  expect(
    isDeepStrictEqual(
      came[0]?.valueSchema?.fields.map(({ name }) => name),
      ['price', 'counts'],
    ),
  ).toBe(true)
  expect(came[0]?.valueSchema?.field('price')?.schema.parameters).toEqual(schema.field('price')?.schema.parameters)
})

test('events that reach nobody, because the task was killed a moment ago, are no fault of their system', async () => {
  const dies = `let polls = 0
    const poll = async () => (polls++ > 0 ? process.kill(process.pid, 'SIGKILL') : null)
    export default { config: {}, createTask: () => ({ poll }) }`
  const lives = live(
    {
      kind: 'source',
      module: `data:text/javascript,${encodeURIComponent(dies)}`,
      config: {},
      seed: 1,
      endAt: 0,
      limits: DEFAULT_LIMITS,
      offsets: [],
      hasEvents: true,
      wanted: 1,
      listens: true,
    },
    () => Promise.reject(new Error('the connection is refused')),
  )
  expect(await lives).toEqual([])
})

test('a guarantee is proved when all checks that bear on it and apply passed', () => {
  const result = (check: string, outcome: 'passed' | 'failed' | 'not applicable') => ({ check, title: '', outcome })
  const passed = [result('resume', 'passed'), result('kill', 'not applicable'), result('records', 'failed')]
  expect(provedGuarantee('exactly-once', passed)).toEqual({
    claimed: 'exactly-once',
    proved: 'exactly-once',
    by: ['resume'],
  })
  const failed = [result('resume', 'passed'), result('kill', 'failed')]
  expect(provedGuarantee('at-least-once', failed)).toEqual({ claimed: 'at-least-once', proved: null, by: ['resume'] })
  expect(provedGuarantee('at-least-once', [])).toEqual({ claimed: 'at-least-once', proved: null, by: [] })
})

test('a guarantee is claimed by the options, or else by the delivery of the plugin in its package.json', () => {
  const json = { millrace: { plugins: [{ kind: 'sink', name: 'Once', delivery: 'exactly-once' }] } }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-testkit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = pathToFileURL(join(folder, 'package.json'))
  writeFileSync(file, JSON.stringify(json))
  expect(claimedGuarantee({ packageFile: file }, 'sink', 'Once')).toBe('exactly-once')
  expect(claimedGuarantee({ packageFile: file }, 'sink', 'Other')).toBe('at-least-once')
  expect(claimedGuarantee({ packageFile: file, guarantee: 'idempotent' }, 'sink', 'Once')).toBe('idempotent')
})
