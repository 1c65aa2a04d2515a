export const ID_STRATEGIES = [
  'BsonOidStrategy',
  'KafkaMetaDataStrategy',
  'FullKeyStrategy',
  'PartialKeyStrategy',
  'PartialValueStrategy',
  'ProvidedInKeyStrategy',
  'ProvidedInValueStrategy',
  'UuidStrategy',
  'UuidProvidedInKeyStrategy',
  'UuidProvidedInValueStrategy',
] as const

/** The strategies that a record without value has enough for. */
export const KEY_STRATEGIES: ReadonlySet<string> = new Set([
  'FullKeyStrategy',
  'PartialKeyStrategy',
  'ProvidedInKeyStrategy',
  'UuidProvidedInKeyStrategy',
])

export const POST_PROCESSORS = [
  'DocumentIdAdder',
  'AllowListKeyProjector',
  'AllowListValueProjector',
  'BlockListKeyProjector',
  'BlockListValueProjector',
  // Their older names.
  'WhitelistKeyProjector',
  'WhitelistValueProjector',
  'BlacklistKeyProjector',
  'BlacklistValueProjector',
  'KafkaMetaAdder',
  'RenameByMapping',
  'RenameByRegExp',
  'RenameByRegex',
  'NullFieldValueRemover',
] as const

export const WRITE_MODELS = [
  'DefaultWriteModelStrategy',
  'ReplaceOneDefaultStrategy',
  'ReplaceOneBusinessKeyStrategy',
  'UpdateOneDefaultStrategy',
  'UpdateOneTimestampsStrategy',
  'UpdateOneBusinessKeyTimestampStrategy',
  'InsertOneDefaultStrategy',
  'DeleteOneDefaultStrategy',
  'DeleteOneBusinessKeyStrategy',
  'DeleteOneTombstoneBusinessKeyStrategy',
] as const

export const NAMESPACE_MAPPERS = ['DefaultNamespaceMapper', 'FieldPathNamespaceMapper'] as const

const PACKAGE = 'com.mongodb.kafka.connect.sink.cdc'

/** The handlers by their class names; two of them share a simple name. */
export const CDC_HANDLERS = [
  `${PACKAGE}.mongodb.ChangeStreamHandler`,
  `${PACKAGE}.debezium.mongodb.MongoDbHandler`,
  `${PACKAGE}.debezium.mongodb.ChangeStreamHandler`,
  `${PACKAGE}.debezium.rdbms.RdbmsHandler`,
  `${PACKAGE}.debezium.rdbms.mysql.MysqlHandler`,
  `${PACKAGE}.debezium.rdbms.postgres.PostgresHandler`,
  `${PACKAGE}.qlik.rdbms.RdbmsHandler`,
] as const

/** Says what is wrong with the name of a handler, or undefined. */
export function cdcHandlerProblem(name: string): string | undefined {
  if (name === '' || (CDC_HANDLERS as readonly string[]).includes(name)) return undefined
  return `"${name}" is not known; use one of ${CDC_HANDLERS.join(', ')}`
}
