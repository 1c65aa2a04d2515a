import { type Document, isDocument } from './documents.ts'

export type ProjectionType = 'none' | 'allowlist' | 'blocklist'

/**
 * Keeps or removes the fields of a list: `a`, `a.b`, `*` for any name at its level, `**` for everything from there on.
 */
export class Projection {
  readonly #keeps: boolean
  readonly #patterns: readonly (readonly string[])[]

  constructor(type: Exclude<ProjectionType, 'none'>, fields: readonly string[]) {
    this.#keeps = type === 'allowlist'
    const all = new Set<string>()
    for (const field of fields) {
      const segments = field.trim().split('.')
      // To keep a.b is to keep a, with nothing else in it.
      if (this.#keeps) for (let end = 1; end < segments.length; end++) all.add(segments.slice(0, end).join('.'))
      all.add(segments.join('.'))
    }
    this.#patterns = [...all].map((field) => field.split('.'))
  }

  /** Changes the document. `_id` stays. */
  apply(document: Document): void {
    this.#project(document, [])
  }

  #project(document: Document, path: readonly string[]): void {
    for (const key of Object.keys(document)) {
      const here = [...path, key]
      const isNamed = this.#patterns.some((pattern) => matches(pattern, here))
      if (isNamed !== this.#keeps && !(key === '_id' && path.length === 0)) {
        delete document[key]
        continue
      }
      const value = document[key]
      if (isDocument(value)) this.#project(value, here)
      else if (Array.isArray(value)) for (const item of value) if (isDocument(item)) this.#project(item, here)
    }
  }
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  for (const [index, segment] of pattern.entries()) {
    if (segment === '**') return path.length > index
    if (index >= path.length || (segment !== '*' && segment !== path[index])) return false
  }
  return pattern.length === path.length
}
