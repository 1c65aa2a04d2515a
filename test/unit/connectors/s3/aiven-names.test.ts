import { type SinkRecord, schemas } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { fileName, fileNameTemplate, groupingOf, type NameContext } from '../../../../connectors/s3/aiven/file-name.ts'
import { zoneOffset } from '../../../../connectors/_shared/storage-sink/zone.ts'
import { recordAt } from '../../../integration/support/task-contract.ts'

const context: NameContext = { zone: zoneOffset('UTC'), byEvent: true, now: () => Date.UTC(2021, 0, 2) }
const record = (part: Partial<SinkRecord> = {}): SinkRecord =>
  recordAt('orders', 12, { partition: 3, timestamp: Date.UTC(2020, 2, 1, 23, 30), ...part })
const name = (template: string, of = record(), more: Partial<NameContext> = {}): string =>
  fileName(fileNameTemplate(template), of, 7, { ...context, ...more })

test.each([
  ['{{topic}}-{{partition}}-{{start_offset}}.gz', 'orders-3-7.gz'],
  [
    'a/{{ topic }}-{{partition:padding=true}}-{{start_offset:padding=true}}',
    `a/orders-0000000003-${'7'.padStart(20, '0')}`,
  ],
  ['{{topic}}{{partition:padding=false}}{{start_offset}}', 'orders37'],
  ['{{timestamp:unit=yyyy}}/{{timestamp:unit=MM}}/{{timestamp:unit=dd}}/{{timestamp:unit=HH}}', '2020/03/01/23'],
  ['{{timestamp:unit=YYYY}}', '2020'],
  ['no variables', 'no variables'],
])('%s becomes %s', (template, expected) => {
  expect(name(template)).toBe(expected)
})

test('times are those of the zone, and of the clock unless the record is asked', () => {
  const template = '{{timestamp:unit=dd}}T{{timestamp:unit=HH}}'
  expect(name(template, record(), { zone: zoneOffset('Europe/Helsinki') })).toBe('02T01')
  expect(name(template, record(), { byEvent: false })).toBe('02T00')
  expect(() => name(template, record({ timestamp: null }))).toThrow(/no timestamp/)
})

test.each([
  ['a', schemas.string, 'a'],
  [7, schemas.int32, '7'],
  [null, null, 'null'],
  [{ id: 1 }, null, '{id=1}'],
])('the key %j is in the name', (key, keySchema, expected) => {
  expect(name('{{key}}', record({ key, keySchema }))).toBe(expected)
})

test.each(['', 'é'.repeat(513)])('a name that S3 does not take is a fault of the record', (key) => {
  expect(() => name('{{key}}', record({ key }))).toThrow(/S3 takes 1 to 1024/)
})

test.each([
  ['{{topic}}{{partition}}{{start_offset}}', 'partition'],
  ['{{topic}}{{partition}}{{start_offset}}{{timestamp:unit=HH}}', 'partition'],
  ['{{topic}}{{partition}}{{start_offset}}{{key}}', 'partition-key'],
  ['{{key}}', 'key'],
  ['{{topic}}{{partition}}{{key}}', 'key'],
])('%s groups records by %s', (template, grouping) => {
  expect(groupingOf(fileNameTemplate(template))).toBe(grouping)
})

test.each([
  ['plain', /has to have the variables/],
  ['{{topic}}-{{partition}}', /has to have the variables/],
  ['{{key}}-{{start_offset}}', /has to have the variables/],
  ['{{nonsense}}', /\{\{nonsense\}\} is not a variable/],
  ['{{timestamp}}', /needs a unit/],
  ['{{timestamp:unit=mm}}', /needs a unit/],
  ['{{partition:padding=yes}}', /padding=true or padding=false/],
  ['{{topic:padding=true}}', /has no parameters/],
])('%s is refused', (template, message) => {
  expect(() => groupingOf(fileNameTemplate(template))).toThrow(message)
})
