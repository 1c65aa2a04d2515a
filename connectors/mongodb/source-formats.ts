import { BSON } from 'mongodb'
import { type Schema, schemas } from '@millrace/sdk'
import { avroSchemaOf } from './avro-schema.ts'
import { BsonValues } from './bson-values.ts'
import { simpleName } from './class-names.ts'
import { changeEventSchema, keySchema } from './default-schemas.ts'
import type { Document } from './documents.ts'
import { SchemaInference } from './infer-schema.ts'
import { jsonText } from './json-text.ts'
import type { MongoSourceConfig } from './source-config.ts'

/** A key or a value as records have it. */
export interface Formatted {
  readonly schema: Schema
  readonly value: unknown
}

/** Makes a key or a value of a document. Throws DataError. */
export type Format = (document: Document) => Formatted

/** How keys are written. With a schema they are made of the whole event. */
export function keyFormat(config: MongoSourceConfig): Format {
  const text = config['output.schema.key']
  return formatOf(config, config['output.format.key'], () =>
    withSchema(config, text === '' ? keySchema : avroSchemaOf(text)),
  )
}

/** How values are written. */
export function valueFormat(config: MongoSourceConfig): Format {
  const text = config['output.schema.value']
  return formatOf(config, config['output.format.value'], () => {
    if (config['output.schema.infer.value']) return inferring(config)
    return withSchema(config, text === '' ? changeEventSchema : avroSchemaOf(text))
  })
}

function formatOf(config: MongoSourceConfig, format: string, structs: () => Format): Format {
  switch (format.toLowerCase()) {
    case 'bson':
      return (document) => ({ schema: schemas.bytes, value: Buffer.from(BSON.serialize(document)) })
    case 'schema':
      return structs()
    default: {
      const write = jsonText(simpleName(config['output.json.formatter']))
      return (document) => ({ schema: schemas.string, value: write(document) })
    }
  }
}

function withSchema(config: MongoSourceConfig, schema: Schema): Format {
  const values = new BsonValues(simpleName(config['output.json.formatter']))
  return (document) => ({ schema, value: values.convert(schema, document) })
}

function inferring(config: MongoSourceConfig): Format {
  const values = new BsonValues(simpleName(config['output.json.formatter']))
  const inference = new SchemaInference()
  return (document) => {
    const schema = inference.schemaOf(document)
    return { schema, value: values.convert(schema, document) }
  }
}
