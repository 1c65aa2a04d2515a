import { type Document, isDocument } from './documents.ts'

export type ProjectionType = 'none' | 'allowlist' | 'blocklist'

/** Keeps or removes the fields of a list: changes the document. */
export type Projection = (document: Document) => void

/**
 * The projection of a list with the wildcards of the original: `*` is any name at its level, `a*` any that begins so, and
 * `**` everything from there on. Undefined for one that leaves every document as it is.
 */
export function projectionOf(type: Exclude<ProjectionType, 'none'>, list: readonly string[]): Projection | undefined {
  const fields = list.map((field) => field.trim()).filter((field) => field !== '')
  if (type === 'allowlist') return allowing(fields)
  if (fields.length === 0) return undefined
  return (document) => {
    for (const field of fields) remove(field, document)
  }
}

function allowing(fields: readonly string[]): Projection | undefined {
  const all = new Set(fields)
  // To keep a.b is to keep a, with nothing else in it.
  for (const field of fields) {
    for (let dot = field.lastIndexOf('.'); dot > 0; dot = field.lastIndexOf('.', dot - 1)) all.add(field.slice(0, dot))
  }
  if (all.has('**')) return undefined
  const prefixes = [...all]
    .filter((field) => field.length > 1 && /^[^.]+\*$/.test(field))
    .map((field) => field.slice(0, -1))
  const patterns = [...all].filter((field) => field.includes('*')).map((field) => field.split('.'))
  const isKept = (path: string): boolean =>
    all.has(path) || prefixes.some((prefix) => path.startsWith(prefix)) || isLike(patterns, path)
  const keep = (document: Document, parent: string): void => {
    for (const name of Object.keys(document)) {
      const path = parent + name
      const value = document[name]
      if (!isKept(path)) delete document[name]
      // Also of what goes: an id may be of the same documents.
      if (isDocument(value)) {
        if (!all.has(`${path}.**`)) keep(value, `${path}.`)
      } else if (Array.isArray(value)) for (const item of value) if (isDocument(item)) keep(item, `${path}.`)
    }
  }
  return (document) => keep(document, '')
}

function isLike(patterns: readonly (readonly string[])[], path: string): boolean {
  if (patterns.length === 0) return false
  const parts = path.split('.')
  return patterns.some(
    (pattern) =>
      pattern.length === parts.length && pattern.every((segment, index) => segment === '*' || segment === parts[index]),
  )
}

function remove(field: string, document: Document): void {
  const dot = field.indexOf('.')
  const [first, rest] = dot < 0 ? [field, ''] : [field.slice(0, dot), field.slice(dot + 1)]
  if (first === '*' || first === '**') {
    for (const [name, value] of Object.entries(document)) {
      if (first === '**' || !isDocument(value)) delete document[name]
      else if (rest !== '') remove(rest, value)
    }
  } else if (dot < 0) {
    removeNamed(first, document)
  } else {
    const value = document[first]
    if (isDocument(value)) remove(rest, value)
    else if (Array.isArray(value)) for (const item of value) if (isDocument(item)) remove(rest, item)
  }
}

function removeNamed(field: string, document: Document): void {
  if (!field.endsWith('*')) {
    delete document[field]
    return
  }
  const prefix = field.slice(0, -1)
  for (const name of Object.keys(document)) if (name.startsWith(prefix)) delete document[name]
}
