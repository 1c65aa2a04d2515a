import type { PluginKind } from '@millrace/sdk'

/** The part of a class name after the last dot: `org.x.FileSource$Value` is `FileSource$Value`. */
export function simpleName(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1)
}

const SUFFIXES: Readonly<Record<PluginKind, string>> = {
  source: 'Connector',
  sink: 'Connector',
  transformation: 'Transformation',
  predicate: 'Predicate',
  converter: 'Converter',
  'header-converter': 'HeaderConverter',
}

/**
 * The names a plugin may be called by beside its full name, as Kafka's PluginUtils: the simple name, and the simple
 * name without the suffix of its kind. A nested class (`X$Value`) has no short form.
 */
export function shortNames(className: string, kind: PluginKind): readonly string[] {
  const simple = simpleName(className)
  const nested = simple.includes('$')
  if (nested) return []
  const suffix = SUFFIXES[kind]
  const pruned = simple.endsWith(suffix) && simple.length > suffix.length ? simple.slice(0, -suffix.length) : simple
  return pruned === simple ? [simple] : [simple, pruned]
}
