/** One message of Kafka's `common/message/*.json`, as the file spells it. */
export interface MessageDefinition {
  apiKey?: number
  type: string
  name: string
  validVersions: string
  flexibleVersions?: string
  fields?: FieldDefinition[]
  commonStructs?: { name: string; fields: FieldDefinition[] }[]
}

export interface FieldDefinition {
  name: string
  type: string
  versions?: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string | number | boolean | null
  ignorable?: boolean
  fields?: FieldDefinition[]
}

/** Parses a definition: JSON with line comments. */
export function parseDefinition(text: string): MessageDefinition {
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as MessageDefinition
}

/** Fills in the fields of structs that are declared once under `commonStructs` and used by name. */
export function resolveStructs(definition: MessageDefinition): FieldDefinition[] {
  const common = new Map((definition.commonStructs ?? []).map((struct) => [struct.name, struct.fields]))
  const resolve = (fields: FieldDefinition[]): FieldDefinition[] =>
    fields.map((field) => {
      const nested = field.fields ?? common.get(elementType(field.type))
      return nested ? { ...field, fields: resolve(nested) } : field
    })
  return resolve(definition.fields ?? [])
}

/** The type without its array brackets. */
export function elementType(type: string): string {
  return type.startsWith('[]') ? type.slice(2) : type
}

/** Kafka's field name as it is spelled in code: `TopicId` becomes `topicId`. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
