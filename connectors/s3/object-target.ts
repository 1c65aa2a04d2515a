import type { SourceConfig } from './source-config.ts'

/** Where the records of an object go. */
export interface ObjectTarget {
  readonly topic: string
  /** Null lets the partitioner decide. */
  readonly partition: number | null
}

/** Tells where the records of an object go by its name; null for one that is not to be read. */
export type TargetOf = (key: string) => ObjectTarget | null

/** The part of the names before which all objects lie, with its separator. */
export function prefixOf(config: SourceConfig): string {
  const folder = config['topics.dir']
  return folder === '' ? '' : `${folder}${config['directory.delim']}`
}

/** The targets that the configuration asks for. */
export function targets(config: SourceConfig): TargetOf {
  if (config.mode === 'GENERIC') {
    const rules = config['topic.regex.list'].map((entry) => {
      const at = entry.indexOf(':')
      return { topic: entry.slice(0, at), regex: new RegExp(`^(?:${entry.slice(at + 1)})$`, 'u') }
    })
    return (key) => {
      const rule = rules.find(({ regex }) => regex.test(key))
      return rule === undefined ? null : { topic: rule.topic, partition: null }
    }
  }
  const prefix = prefixOf(config)
  const delimiter = config['directory.delim']
  const fileDelimiter = config['file.delim']
  return (key) => {
    const [topic, ...rest] = key.slice(prefix.length).split(delimiter)
    const name = rest.at(-1)
    if (topic === undefined || topic === '' || name === undefined) return null
    // The topic may hold the delimiter too: partition and offset are the last parts.
    const parts = name.split(fileDelimiter)
    const [partition, last] = parts.slice(-2)
    if (parts.length < 3 || !/^\d+$/.test(partition ?? '') || !/^\d+\./.test(last ?? '')) return null
    // Keys and headers lie beside the values.
    if (/^\d+\.(keys|headers)\./.test(last ?? '')) return null
    return { topic, partition: Number(partition) }
  }
}
