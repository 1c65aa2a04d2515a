import type { RawConfig } from '@millrace/sdk'

/** What the worker lets connectors change in its clients (KIP-458). */
export interface OverridePolicy {
  readonly name: 'All' | 'None' | 'Principal' | 'Allowlist'
  /** For `Allowlist`: the client settings that may be changed. */
  readonly allowed?: readonly string[]
}

const PREFIXES = ['producer.override.', 'consumer.override.', 'admin.override.']
const PRINCIPAL = ['sasl.jaas.config', 'sasl.mechanism', 'security.protocol']

/** The overrides that the policy refuses: the whole key and the reason in Kafka's words. */
export function refusedOverrides(raw: RawConfig, policy: OverridePolicy): { key: string; message: string }[] {
  if (policy.name === 'All') return []
  const allowed = policy.name === 'Principal' ? PRINCIPAL : policy.name === 'Allowlist' ? (policy.allowed ?? []) : []
  const refused: { key: string; message: string }[] = []
  for (const key of Object.keys(raw)) {
    const prefix = PREFIXES.find((start) => key.startsWith(start))
    if (prefix === undefined) continue
    const setting = key.slice(prefix.length)
    if (allowed.includes(setting)) continue
    const message = `The '${policy.name}' policy does not allow '${setting}' to be overridden in the connector configuration.`
    refused.push({ key, message })
  }
  return refused
}
