import {
  DataError,
  defineConfig,
  defineConverter,
  defineTransformation,
  schemas,
  struct,
  type Transform,
  withChanges,
} from '@millrace/sdk'
import { runConverterChecks, runTransformChecks } from '@millrace/testkit'
import { describe, expect, test } from 'vitest'

const config = defineConfig({
  mode: { type: 'string', default: 'a', oneOf: ['a', 'b'], importance: 'low', doc: 'Not used' },
})
const wrapped = struct({ whole: schemas.optional.string })

type TransformFlaw =
  | 'nothing'
  | 'wrong-value'
  | 'changes-input'
  | 'own-offset'
  | 'schema-each-time'
  | 'value-beside-schema'
  | 'unknown-error'
  | 'other-plan'
  | 'leaves-timer'

/** Wraps text into a struct, and is right but for its flaw. */
function badTransform(flaw: TransformFlaw) {
  const apply: Transform['apply'] = (record) => {
    const { value, valueSchema } = record
    if (flaw === 'changes-input' && typeof value === 'object' && value !== null) Object.assign(value, { seen: true })
    if (typeof value !== 'string') {
      if (flaw === 'unknown-error' && value === null) throw new TypeError('value is null')
      if (value === null || flaw === 'changes-input') return record
      throw new DataError('only text can be wrapped')
    }
    const schema = flaw === 'schema-each-time' ? struct({ whole: schemas.optional.string }) : wrapped
    const whole = flaw === 'value-beside-schema' ? 5 : flaw === 'wrong-value' ? `${value}!` : value
    const changed = withChanges(record, { value: { whole }, valueSchema: schema })
    void valueSchema
    return flaw === 'own-offset' && 'sourceOffset' in changed ? { ...changed, sourceOffset: { mine: 1 } } : changed
  }
  return defineTransformation({
    name: 'WrapText',
    version: '1.0.0',
    doc: 'Wraps text into a struct',
    config,
    create: () => {
      if (flaw === 'leaves-timer') setInterval(() => {}, 1_000_000).unref()
      const source = flaw === 'other-plan' ? ({ from: 'constant', value: 'x' } as const) : ({ from: 'whole' } as const)
      const plan = (schema: { type: string }) =>
        schema.type === 'STRING' ? { schema: wrapped, sources: [source] } : undefined
      return { apply, structs: { part: 'value', plan } }
    },
  })
}

const NO_PACKAGE = { manifest: 'there is none', 'required-config': 'no key is required' }

async function transformFailures(flaw: TransformFlaw) {
  const results = await runTransformChecks(badTransform(flaw), {
    config: {},
    limits: { starts: 30, deadlineMs: 300 },
    samples: [{ record: { value: 'a', valueSchema: schemas.string }, becomes: { value: { whole: 'a' } } }],
    notApplicable: NO_PACKAGE,
  })
  const open = results.filter(({ check, outcome }) => outcome === 'not applicable' && !(check in NO_PACKAGE))
  expect(open).toEqual([])
  return results.filter(({ outcome }) => outcome === 'failed')
}

describe('the checks of a transformation', () => {
  test.each<readonly [TransformFlaw, readonly string[], string]>([
    ['nothing', [], ''],
    ['wrong-value', ['plan', 'samples'], 'instead of'],
    ['changes-input', ['pure', 'schemas'], 'the record that came in was changed'],
    ['own-offset', ['coordinates'], 'sourceOffset was'],
    ['schema-each-time', ['schemas'], 'a schema object of its own'],
    ['value-beside-schema', ['plan', 'samples', 'schemas'], 'value.whole is the number 5'],
    ['unknown-error', ['errors'], 'it threw value is null'],
    ['other-plan', ['plan'], 'the plan gives'],
    ['leaves-timer', ['start-stop'], 'more timers'],
  ])('see the flaw %s by %s', async (flaw, expected, reason) => {
    const failures = await transformFailures(flaw)
    expect(failures.map(({ check }) => check).toSorted()).toEqual(expected)
    expect(failures.map((failure) => failure.reason).join('\n')).toContain(reason)
  })
})

type ConverterFlaw =
  | 'nothing'
  | 'other-text'
  | 'null-is-text'
  | 'shares-bytes'
  | 'takes-all'
  | 'unknown-error'
  | 'unknown-bytes'

const shared = Buffer.alloc(1000)

/** Text as hexadecimal digits, and right but for its flaw. */
function badConverter(flaw: ConverterFlaw) {
  return defineConverter({
    name: 'HexConverter',
    version: '1.0.0',
    doc: 'Text as hexadecimal digits',
    config,
    create: () => ({
      fromConnectData(_topic, _schema, value) {
        if (value === null || value === undefined) return flaw === 'null-is-text' ? Buffer.from('null') : null
        if (typeof value !== 'string') {
          if (flaw === 'takes-all') return Buffer.from('6f')
          if (flaw === 'unknown-error') throw new TypeError('no text')
          throw new DataError('only text can be written')
        }
        const bytes = Buffer.from(Buffer.from(value).toString('hex'))
        return flaw === 'shares-bytes' ? shared.subarray(0, bytes.copy(shared)) : bytes
      },
      toConnectData(_topic, bytes) {
        if (bytes === null) return { schema: null, value: null }
        const digits = Buffer.from(bytes).toString()
        const isHex = /^([0-9a-f]{2})*$/.test(digits)
        if (!isHex && flaw === 'unknown-bytes') throw new SyntaxError('no digits')
        if (!isHex) throw new DataError('these are no hexadecimal digits')
        const text = Buffer.from(digits, 'hex').toString()
        return { schema: schemas.string, value: flaw === 'other-text' ? text.toUpperCase() : text }
      },
    }),
  })
}

describe('the checks of a converter', () => {
  test.each<readonly [ConverterFlaw, readonly string[], string]>([
    ['nothing', [], ''],
    ['other-text', ['round-trip'], 'came back as'],
    ['null-is-text', ['tombstones'], 'null became bytes'],
    ['shares-bytes', ['pure'], 'bytes that were given change with later calls'],
    ['takes-all', ['misfits'], 'was written, although it does not fit'],
    ['unknown-error', ['misfits'], 'it threw no text'],
    ['unknown-bytes', ['garbage'], 'it threw no digits'],
  ])('see the flaw %s by %s', async (flaw, expected, reason) => {
    const results = await runConverterChecks(badConverter(flaw), {
      config: {},
      samples: ['one', 'two'].map((value) => ({ schema: schemas.string, value })),
      misfits: [{ schema: schemas.int32, value: 5 }],
      notApplicable: NO_PACKAGE,
    })
    const failures = results.filter(({ outcome }) => outcome === 'failed')
    expect(failures.map(({ check }) => check).toSorted()).toEqual(expected)
    expect(failures.map((failure) => failure.reason).join('\n')).toContain(reason)
    expect(results.filter(({ check, outcome }) => outcome === 'not applicable' && !(check in NO_PACKAGE))).toEqual([])
  })
})
