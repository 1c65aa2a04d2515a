import {
  camelCase,
  elementType,
  type FieldDefinition,
  type MessageDefinition,
  resolveStructs,
} from './message-definition.ts'

const SCALARS: Record<string, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  int32: 'number',
  int64: 'number',
  uint16: 'number',
  uint32: 'number',
  float64: 'number',
  string: 'string',
  uuid: 'string',
  bytes: 'Buffer',
  records: 'Buffer',
}

/** The interfaces of one message, nested structs named after the message. */
export function typeText(definition: MessageDefinition): string {
  const message = definition.name
  const blocks: string[] = []
  const seen = new Set<string>()
  const structName = (name: string) => (name.startsWith(message) ? name : message + name)

  const emit = (name: string, fields: FieldDefinition[]) => {
    if (seen.has(name)) return
    seen.add(name)
    const lines = fields.map((field) => `  ${camelCase(field.name)}: ${fieldType(field)}`)
    blocks.push(`export interface ${name} {\n${lines.join('\n')}\n}`)
    for (const field of fields) if (field.fields) emit(structName(elementType(field.type)), field.fields)
  }
  const fieldType = (field: FieldDefinition) => {
    const element = elementType(field.type)
    const base = SCALARS[element] ?? structName(element)
    const nullable = field.nullableVersions !== undefined && field.nullableVersions !== 'none'
    return base + (field.type.startsWith('[]') ? '[]' : '') + (nullable ? ' | null' : '')
  }
  emit(message, resolveStructs(definition))
  return blocks.join('\n\n')
}
