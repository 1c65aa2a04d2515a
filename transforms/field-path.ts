import { ConfigError, type Schema } from '@millrace/sdk'
import { fieldValue, isMembers, type Members, requireMap } from './data.ts'

/** Splits a field path of version V2 (KIP-821): steps between dots, backticks around a step that has dots itself. */
export function parseFieldPath(path: string): readonly string[] {
  if (path === '') throw new ConfigError('The path of the field is empty', { key: 'field' })
  const steps: string[] = []
  let at = 0
  while (at < path.length) {
    if (path[at] === '`') {
      const end = closingBacktick(path, at)
      // Only a backtick before a dot needs its backslash; any other backslash belongs to the name.
      steps.push(path.slice(at + 1, end).replaceAll('\\`.', '`.'))
      at = end + 2
    } else {
      const dot = path.indexOf('.', at)
      const end = dot < 0 ? path.length : dot
      steps.push(path.slice(at, end))
      at = end + 1
    }
  }
  if (path.endsWith('.')) steps.push('')
  return steps
}

/** A backtick closes only before a dot or the end, and when no backslash stands before it. */
function closingBacktick(path: string, open: number): number {
  for (let at = path.indexOf('`', open + 1); at >= 0; at = path.indexOf('`', at + 1)) {
    const isEscaped = path[at - 1] === '\\'
    if (!isEscaped && (at + 1 === path.length || path[at + 1] === '.')) return at
  }
  throw new ConfigError(
    `Incomplete backtick pair in path: [${path}], consider adding a backslash before backtick at position ${open} to escape it`,
    { key: 'field' },
  )
}

/** The schema at the end of a path; undefined when a step does not exist. */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | undefined {
  let current: Schema | undefined = schema
  for (const step of path) current = current?.type === 'STRUCT' ? current.field(step)?.schema : undefined
  return current
}

/** The value at the end of a path through structs. */
export function structValueAt(schema: Schema, value: Members, path: readonly string[], useDefault: boolean): unknown {
  let currentSchema = schema
  let current: unknown = value
  for (const step of path) {
    const field = currentSchema.field(step)
    if (!field || !isMembers(current)) return null
    current = fieldValue(current, step, field.schema, useDefault)
    currentSchema = field.schema
  }
  return current
}

/** The value at the end of a path through schemaless maps. */
export function mapValueAt(value: Members, path: readonly string[]): unknown {
  let current: unknown = value
  for (const step of path) {
    if (current === null || current === undefined) return null
    const map = requireMap(current, 'nested field access')
    current = Object.hasOwn(map, step) ? map[step] : null
  }
  return current ?? null
}
