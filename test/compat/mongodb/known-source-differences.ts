import type { SourceDifference } from './compare-sources.ts'

interface Known {
  readonly why: string
  readonly matches: (difference: SourceDifference) => boolean
}

/** Where the source differs from the original on purpose. Each rule names what both sides say, as narrowly as it can. */
export const SOURCE_KNOWN: readonly Known[] = [
  {
    why: 'the schema of change events has the fields that later versions of the original have too',
    matches: ({ java, ours }) =>
      ours.includes('wallTime') && dumped(ours) !== undefined && java === withoutLaterFields(ours, java),
  },
  {
    why: 'an event whose place a pipeline has removed is of the collection that is watched; the original leaves it out',
    matches: ({ java, ours, documents }) =>
      ((java === 'nothing' && dumped(ours) !== undefined) || (java === 'read' && ours.startsWith('failed'))) &&
      documents.some((json) => !json.includes('"ns": {"db": ')),
  },
  {
    why: 'only deletes become tombstones; the original makes one of every event without document',
    matches: ({ java, ours, options }) =>
      options['publish.full.document.only.tombstone.on.delete'] === 'true' &&
      ((isTombstone(java) && ours === 'nothing') || (/^failed.* Value=\{\}$/.test(java) && ours === 'read')),
  },
  {
    why: 'bytes that a schema calls a decimal are one; the original has bytes there, and no form of decimals for them',
    matches: ({ java, ours, options }) =>
      (options['output.schema.value'] ?? '').includes('"logicalType":"decimal"') &&
      (java === 'read' || /data\.Decimal|"topic":"dead/.test(ours)),
  },
]

/** Why a difference is meant, or undefined. */
export function whySourceKnown(difference: SourceDifference): string | undefined {
  return SOURCE_KNOWN.find(({ matches }) => matches(difference))?.why
}

interface Dumped {
  readonly value: { readonly schema: unknown; readonly value: unknown }
}

const dumped = (text: string): Dumped | undefined =>
  text.startsWith('{') && !text.includes('\n') ? (JSON.parse(text) as Dumped) : undefined
/** Of one that cannot be written the dead letter queue gets an empty document. */
const isTombstone = (text: string): boolean => [null, '{}'].includes(dumped(text)?.value.value as string | null)

const LATER = ['truncatedArrays', 'disambiguatedPaths', 'wallTime']

/** A record without the fields that the original's schema does not have, nor values of them. */
function withoutLaterFields(text: string, java: string): string {
  const later = LATER.filter((name) => !java.includes(`"field":"${name}"`))
  return JSON.stringify(JSON.parse(text), (_key, value: unknown) => {
    if (!Array.isArray(value)) return value
    return value.filter((item: unknown) => {
      const name = Array.isArray(item) ? item[0] : (item as { field?: unknown } | null)?.field
      return typeof name !== 'string' || !later.includes(name)
    })
  })
}
