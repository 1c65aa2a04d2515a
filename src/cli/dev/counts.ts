import type { Admin } from '../../client/index.ts'
import { SHOP_TABLES } from './shop.ts'

/** The topics of the captured tables. */
export const SHOP_TOPICS: readonly string[] = SHOP_TABLES.map((table) => `pg.shop.${table}`)

/** The timestamp that ListOffsets reads as the end of the log. */
const LATEST = -1

/** How many records the topics hold, by their end offsets; a topic that is not there yet holds none. */
export async function recordsIn(admin: Admin, topics: readonly string[]): Promise<number> {
  const existing = new Set((await admin.topics.list()).map((topic) => topic.name))
  const partitions = topics.filter((topic) => existing.has(topic)).map((topic) => ({ topic, partition: 0 }))
  if (partitions.length === 0) return 0
  const results = await admin.topics.listOffsets(partitions.map((each) => ({ ...each, timestamp: LATEST })))
  return results.reduce((sum, { offset }) => sum + offset, 0)
}

/** How many records the sink's tasks have put, from the worker's own metrics. */
export async function recordsPut(restUrl: string): Promise<number> {
  const response = await fetch(`${restUrl}/metrics`)
  const text = await response.text()
  const lines = text.matchAll(/^kafka_connect_sink_task_metrics_sink_record_send_total\{[^}]*\} (\S+)$/gm)
  return [...lines].reduce((sum, line) => sum + Number(line[1]), 0)
}
