import { DataError } from '@millrace/sdk'
import type { SinkConfig } from './sink-config.ts'
import { parseTableId, type TableId } from './table-id.ts'

/** The table that records of a topic go to, its names as the database keeps them. Throws DataError when the format gives no usable name. */
export function tableForTopic(
  config: Pick<SinkConfig, 'table.name.format' | 'table.name.normalize' | 'topics.to.tables.mapping'>,
  topic: string,
  storedName: (name: string) => string,
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
  return { schema: schema === undefined ? undefined : storedName(schema), name: storedName(name) }
}
