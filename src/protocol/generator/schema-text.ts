import { camelCase, type FieldDefinition, type MessageDefinition, resolveStructs } from './message-definition.ts'

/** The default as JSON, or undefined where it is the type's own (0, false, '', empty). */
function defaultJson(field: FieldDefinition): string | undefined {
  const value = field.default
  // Kafka's generator takes only the word 'null' for a null default; a JSON null is no default.
  if (value === undefined || value === null) return undefined
  if (value === 'null') return 'null'
  if (field.type === 'string') return value === '' ? undefined : JSON.stringify(value)
  if (field.type === 'bool') return String(value) === 'true' ? 'true' : undefined
  const number = Number(value)
  return number === 0 ? undefined : String(number)
}

function fieldLines(fields: FieldDefinition[], indent: string): string[] {
  return fields.flatMap((field) => {
    const versions = field.versions ?? field.taggedVersions ?? ''
    const parts = [camelCase(field.name), field.type, versions]
    if (field.nullableVersions && field.nullableVersions !== 'none') parts.push(`null@${field.nullableVersions}`)
    if (field.taggedVersions) parts.push(`tag${field.tag}@${field.taggedVersions}`)
    if (field.ignorable) parts.push('ignorable')
    const value = defaultJson(field)
    if (value !== undefined) parts.push(`=${value}`)
    return [indent + parts.join(' '), ...fieldLines(field.fields ?? [], `${indent} `)]
  })
}

/** The compact form of one message: a line of versions, then one line per field, nested fields indented by one space. */
export function schemaText(definition: MessageDefinition): string {
  const head = `${definition.validVersions} ${definition.flexibleVersions ?? 'none'}`
  return [head, ...fieldLines(resolveStructs(definition), '')].join('\n')
}
