import { readFileSync } from 'node:fs'
import type { PluginKind } from '@millrace/sdk'

export type JsonObject = Readonly<Record<string, unknown>>

/** A package.json. */
export function readPackage(file: URL): JsonObject {
  return JSON.parse(readFileSync(file, 'utf8')) as JsonObject
}

/** What a package.json says of its plugins. */
export function packageEntries(json: JsonObject): readonly JsonObject[] {
  const { plugins } = (json['millrace'] ?? {}) as { plugins?: unknown }
  return Array.isArray(plugins) ? plugins.filter((entry) => typeof entry === 'object' && entry !== null) : []
}

/** What a package.json says of one plugin. */
export function packageEntry(json: JsonObject, kind: PluginKind, name: string): JsonObject | undefined {
  return packageEntries(json).find((entry) => entry['kind'] === kind && entry['name'] === name)
}
