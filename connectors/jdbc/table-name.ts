import { DataError } from '@millrace/sdk'
import type { SinkConfig } from './sink-config.ts'
import { parseTableId, type TableId } from './table-id.ts'

/** PostgreSQL cuts longer names silently; cutting them here keeps lookups right. */
export const IDENTIFIER_BYTES_MAX = 63

/** Cuts a name to as many bytes as the database keeps, never inside a character. */
export function truncateIdentifier(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= IDENTIFIER_BYTES_MAX) return name
  let end = IDENTIFIER_BYTES_MAX
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** The table that records of a topic go to. Throws DataError when the format gives no usable name. */
export function tableForTopic(
  config: Pick<SinkConfig, 'table.name.format' | 'table.name.normalize' | 'topics.to.tables.mapping'>,
  topic: string,
): TableId {
  const mapped = config['topics.to.tables.mapping'].find((entry) => entry.slice(0, entry.indexOf(':')) === topic)
  const normalize = (name: string): string => (config['table.name.normalize'] ? name.replace(/\W/g, '_') : name)
  const written =
    mapped === undefined
      ? config['table.name.format']
          .replaceAll('${topic}', () => normalize(topic))
          .replaceAll('${table}', () => normalize(topic.slice(topic.lastIndexOf('.') + 1)))
      : mapped.slice(mapped.indexOf(':') + 1)
  if (written.trim() === '') throw new DataError(`table.name.format gives no table name for the topic ${topic}`)
  const { schema, name } = parseTableId(written)
  return { schema: schema === undefined ? undefined : truncateIdentifier(schema), name: truncateIdentifier(name) }
}
