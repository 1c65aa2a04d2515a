import type { ConfigIssue, RawConfig } from '@millrace/sdk'

interface Refused {
  /** Values that ask for what is done here. */
  readonly accepted: readonly string[]
  readonly reason: string
}

/** Settings of the originals that are not supported: setting them to anything else is refused, not ignored. */
const REFUSED: Readonly<Record<string, Refused>> = {
  's3.proxy.url': { accepted: [''], reason: 'proxies are not supported' },
  's3.proxy.user': { accepted: [''], reason: 'proxies are not supported' },
  's3.proxy.password': { accepted: ['', '[hidden]'], reason: 'proxies are not supported' },
  's3.schema.partition.affix.type': { accepted: ['', 'NONE'], reason: 'folders have no schema names' },
  'storage.class': {
    accepted: ['', 'io.confluent.connect.s3.storage.S3Storage'],
    reason: 'it is Java code, and there is one storage',
  },
  'allow.optional.map.keys': { accepted: ['', 'false'], reason: 'keys of Avro maps are text' },
}

/** Keys that are set to something that this connector does not do, each with the reason. */
export function refusedSettings(raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, { accepted, reason }]) => {
    const value = raw[key]?.trim()
    if (value === undefined || accepted.includes(value)) return []
    return [{ key, message: `${key}: this setting is not possible here: ${reason}; remove it` }]
  })
}
