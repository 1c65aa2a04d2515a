import { type ConfigIssue, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
import { type MongoSinkConfig, sinkConfig } from './sink-config.ts'

const PREFIX = 'topic.override.'

/** Of the whole connector, which has one connection. */
const GLOBAL = new Set(
  Object.keys(sinkConfig).filter((key) => key.startsWith('connection.') || key.startsWith('server.api.')),
)
/** Longest first, since the name of a topic may end as a key begins. */
const KEYS = Object.keys(sinkConfig).sort((a, b) => b.length - a.length)

interface Override {
  readonly topic: string
  readonly key: string
}

/** Topic and key of a `topic.override.<topic>.<key>`; a problem where there is none. */
function overrideOf(name: string): Override | string {
  const rest = name.slice(PREFIX.length)
  const key = KEYS.find((candidate) => rest.endsWith(`.${candidate}`))
  if (key === undefined) return 'names no key of the sink; write topic.override.<topic>.<key>'
  if (GLOBAL.has(key)) return `${key} is the same for all topics; start another connector for another server`
  const topic = rest.slice(0, -key.length - 1)
  return topic === '' ? 'names no topic; write topic.override.<topic>.<key>' : { topic, key }
}

/** What is wrong with overrides. */
export function overrideIssues(raw: RawConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const topics = new Map<string, string>()
  for (const name of Object.keys(raw).filter((key) => key.startsWith(PREFIX))) {
    const override = overrideOf(name)
    if (typeof override === 'string') issues.push({ key: name, message: override })
    else topics.set(override.topic, name)
  }
  for (const [topic, name] of topics) {
    try {
      configOfTopic(raw, topic)
    } catch (error) {
      issues.push({ key: name, message: (error as Error).message })
    }
  }
  return issues
}

/** Whether a topic has keys of its own. */
export function hasOverrides(raw: RawConfig, topic: string): boolean {
  return overridesOf(raw, topic).length > 0
}

/** The configuration of a topic, with what is overridden for it. */
export function configOfTopic(raw: RawConfig, topic: string): MongoSinkConfig {
  return parseConfigOrThrow(sinkConfig, { ...raw, ...Object.fromEntries(overridesOf(raw, topic)) })
}

function overridesOf(raw: RawConfig, topic: string): [string, string][] {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(raw)) {
    const override = name.startsWith(PREFIX) ? overrideOf(name) : ''
    if (typeof override !== 'string' && override.topic === topic) entries.push([override.key, value])
  }
  return entries
}
