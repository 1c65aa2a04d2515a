import type { Difference } from './compare.ts'

interface Known {
  readonly why: string
  readonly matches: (difference: Difference) => boolean
}

/** Where Millrace differs from Java on purpose. Each rule names the plugin and what both sides say, as narrowly as it can. */
export const KNOWN: readonly Known[] = [
  {
    why: 'a pattern that is none is refused with the options; Java refuses every record instead',
    matches: (d) =>
      d.class.endsWith('TimestampRouter') && d.java === 'accepted' && d.options['timestamp.format'] === 'bad pattern',
  },
  {
    why: 'a Time is a number in JavaScript, also without a schema',
    matches: (d) =>
      isOf(d, 'TimestampConverter') &&
      d.options['target.type'] === 'Time' &&
      withoutTimes(d.java) === withoutTimes(d.ours),
  },
  {
    why: 'a moment that no JavaScript date can hold is an error; Java goes on with it',
    matches: (d) => isOf(d, 'TimestampConverter') && d.ours.includes('cannot hold'),
  },
  {
    why: 'a whole value that is cast loses the name of its logical type; Java leaves it, and converters or the default fail',
    matches: (d) =>
      isOf(d, 'Cast') &&
      !d.options['spec']?.includes(':') &&
      LOGICAL.test(schemaOf(d)) &&
      (d.java.startsWith('error') || withoutDates(valuesOf(d.java)) === withoutDates(valuesOf(d.ours))),
  },
  {
    why: 'a Date, Time or Timestamp is text by its type; Java looks at the moment, and loses dates before 1970 and the time of midnight',
    matches: (d) =>
      isOf(d, 'Cast') && /string/i.test(d.options['spec'] ?? '') && withoutDates(d.java) === withoutDates(d.ours),
  },
  {
    why: 'the smallest number of all is written 5.0E-324; Java writes 4.9E-324',
    matches: (d) => isOf(d, 'Cast') && d.java.replaceAll('4.9E-324', '5.0E-324') === d.ours,
  },
  {
    why: 'a masked Decimal keeps the scale of its schema, or is refused; Java gives another one, which converters refuse',
    matches: (d) =>
      isOf(d, 'MaskField') &&
      (withoutDecimals(d.java) === withoutDecimals(d.ours) ||
        (d.ours.includes('Unable to convert 1.5') && /data\.Decimal/.test(schemaOf(d)))),
  },
  {
    why: 'a required field with a default may go without a value, as it came, where nulls are not replaced; Java fails',
    matches: (d) =>
      (d.options['replace.null.with.default'] === 'false' || d.class.startsWith('io.debezium.')) &&
      !d.ours.startsWith('error') &&
      /null used for required|null value requires an optional/.test(d.java),
  },
  {
    why: 'a new name that another field keeps is an error; Java takes the value of the renamed field also where that is excluded',
    matches: (d) => isOf(d, 'ReplaceField') && d.ours.includes('to one more field'),
  },
  {
    why: 'of two renames to one name the one whose field exists counts; in Java it depends on the order of a hash map',
    matches: (d) => isOf(d, 'ReplaceField') && hasTwoOfOneName(d.options['renames'] ?? ''),
  },
  {
    why: 'a date without a schema is cast and flattened as one with a schema is; Java fails',
    matches: (d) =>
      (isOf(d, 'Flatten') || isOf(d, 'Cast')) && d.java.includes('class java.util.Date which is not supported'),
  },
  {
    why: 'a null has no field to convert, whatever its schema; Java fails since 4.0',
    matches: (d) => isOf(d, 'TimestampConverter') && d.java.includes('Cannot list fields on non-struct type'),
  },
  {
    why: 'the schema of a value that is no struct gets its name too; Java fails since 4.0',
    matches: (d) => isOf(d, 'SetSchemaMetadata') && d.java.includes('Cannot list fields on non-struct type'),
  },
  {
    why: 'a struct that is added keeps its fields; in Java it has none in a header, and as a field it is refused',
    matches: (d) =>
      d.class.endsWith('ExtractNewRecordState') &&
      /(^|[,\s])(source|transaction)\b\.?(,|\s|$)/.test(
        `${d.options['add.headers'] ?? ''},${d.options['add.fields'] ?? ''}`,
      ) &&
      (d.java.includes('"fields":[],') || /Struct schemas do not match/.test(d.java)),
  },
  {
    why: 'a tombstone without a schema has no fields to drop; Java fails',
    matches: (d) => d.class.endsWith('ExtractNewRecordState') && d.java.includes('because "schema" is null'),
  },
  {
    why: 'an outbox event keeps its partition in a sink; Java fails, as it asks for a partition there',
    matches: (d) => d.class.endsWith('EventRouter') && d.java.includes('because "kafkaPartition" is null'),
  },
  {
    why: 'a placement that is none is refused with the options; Java refuses every record instead',
    matches: (d) =>
      d.class.endsWith('EventRouter') &&
      /:nowhere/.test(d.options['table.fields.additional.placement'] ?? '') &&
      d.java === 'accepted',
  },
  {
    why: 'a payload that cannot be expanded keeps its own schema, as in later versions; Debezium 3.7.0 gives it that of the JSON',
    matches: (d) =>
      d.class.endsWith('EventRouter') &&
      d.options['table.expand.json.payload'] === 'true' &&
      (/Invalid Java object for schema .*with type (ARRAY|STRUCT)|for field payload cannot be null/.test(d.java) ||
        /Struct schemas do not match/.test(d.java) ||
        isTextWithOtherSchema(d.java)),
  },
  {
    why: 'items of an array that have different fields have them in the order of appearance; in Java it depends on a hash set',
    matches: (d) =>
      d.class.endsWith('EventRouter') &&
      /"list":\[(null,)?\{/.test(unescaped(d)) &&
      inAnyOrder(d.java) === inAnyOrder(d.ours),
  },
]

/** Whether a difference is one of those that are meant. */
export function isKnown(difference: Difference): boolean {
  return KNOWN.some((known) => known.matches(difference))
}

const withoutTimes = (text: string): string => text.replace(/\{"t":(\d{1,8})\}/g, '{"n":"$1"}')
const LOGICAL = /org\.apache\.kafka\.connect\.data\.(Date|Time|Timestamp|Decimal)/
const withoutDates = (text: string): string =>
  text.replace(/"(\d{4}-\d\d-\d\d)?T?(\d\d:\d\d:\d\d\.\d{3}Z)?"/g, '"date"')
const withoutDecimals = (text: string): string => text.replace(/\{"d":"[^"]*"\}/g, '{"d":0}')

function isTextWithOtherSchema(text: string): boolean {
  if (!text.startsWith('{')) return false
  const { value } = JSON.parse(text) as { value: { schema: { type: string } | null; value: unknown } }
  return typeof value.value === 'string' && value.schema !== null && value.schema.type !== 'string'
}

const unescaped = ({ record }: Difference): string => JSON.stringify(record).replaceAll('\\"', '"')

/** The characters of a result, whatever their order: good enough where only the order may differ. */
const inAnyOrder = (text: string): string =>
  text
    .split(/(?=[{}[\],])/)
    .toSorted()
    .join('')

/** Key and value of a result without their schemas. */
function valuesOf(text: string): string {
  if (!text.startsWith('{')) return text
  const { key, value } = JSON.parse(text) as { key: { value: unknown }; value: { value: unknown } }
  return JSON.stringify([key.value, value.value])
}

function hasTwoOfOneName(renames: string): boolean {
  const targets = renames.split(',').map((pair) => pair.split(':')[1])
  return new Set(targets).size < targets.length
}

function isOf({ class: name }: Difference, simple: string): boolean {
  return name.endsWith(`.${simple}$Key`) || name.endsWith(`.${simple}$Value`)
}

function schemaOf({ class: name, record }: Difference): string {
  return JSON.stringify((name.endsWith('$Key') ? record?.keySchema : record?.valueSchema) ?? null)
}
