import type { SearchAnswer } from './client.ts'

export type ServerKind = 'elasticsearch-9' | 'elasticsearch-8' | 'opensearch'

/**
 * What answered a `GET /` that asks for the media type of version 9. Any answer tells, also a refusal: Elasticsearch names
 * itself in a header, and version 8 refuses the media type.
 */
export function serverKindOf({ headers, body }: Pick<SearchAnswer, 'headers' | 'body'>): ServerKind {
  if (headers['x-elastic-product'] !== 'Elasticsearch') return 'opensearch'
  const text = JSON.stringify(body ?? '')
  const newest = /must be either version (\d+) or/.exec(text)?.[1]
  const number = /"number":"(\d+)\./.exec(text)?.[1]
  const major = Number(newest ?? number ?? 9)
  if (major >= 9) return 'elasticsearch-9'
  // Version 7 and its client are gone; it understands plain JSON as OpenSearch does.
  return major === 8 ? 'elasticsearch-8' : 'opensearch'
}
