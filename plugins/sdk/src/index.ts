export {
  type ConfigDef,
  type ConfigKey,
  type ConfigType,
  type ConfigValue,
  defineConfig,
  type Importance,
  type Parsed,
  type Width,
} from './config.ts'
export {
  type CommittedOffset,
  type ConfigIssue,
  type ConnectorContext,
  type ConnectorMonitor,
  defineSinkConnector,
  defineSourceConnector,
  type ErrantRecordReporter,
  FINISHED,
  type OffsetReader,
  type PluginContext,
  type PluginLogger,
  type PollResult,
  type RawConfig,
  type RecordMetadata,
  type SinkConnector,
  type SinkTask,
  type SinkTaskContext,
  type SourceConnector,
  type SourceTask,
  type SourceTaskContext,
  type TaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
  type TopicPublisher,
} from './connector.ts'
export {
  type Converter,
  type ConverterContext,
  type ConverterDefinition,
  defineConverter,
  defineHeaderConverter,
  type HeaderConverter,
  type HeaderConverterDefinition,
  type SchemaAndValue,
} from './converter.ts'
export { Decimal, isDecimal } from './decimal.ts'
export {
  ConfigError,
  ConnectError,
  type ConnectErrorCode,
  DataError,
  isConnectError,
  isRetriable,
  RetriableError,
} from './errors.ts'
export { fromGenerator } from './generator.ts'
export { inferValue } from './infer-value.ts'
export {
  type KafkaAdmin,
  KafkaCallError,
  type KafkaClients,
  type KafkaConsumer,
  type KafkaGroup,
  type KafkaGroupOffset,
  type KafkaProducer,
  type KafkaRecord,
  type KafkaTopic,
  type KafkaTopicAcl,
  type KafkaTopicSetting,
} from './kafka.ts'
export { defineManifest, type PluginDefinition, type PluginKind, type PluginManifest } from './manifest.ts'
export { doubleToString, floatToString, shortestFloat } from './number-text.ts'
export {
  configValueToString,
  HIDDEN,
  invalid,
  parseConfig,
  parseConfigKeys,
  parseConfigOrThrow,
  type ParsedConfig,
  type ParsedKey,
} from './parse-config.ts'
export {
  type ConnectRecord,
  type Header,
  type RecordChanges,
  type SinkRecord,
  type SourceOffset,
  type SourcePartition,
  type SourcePosition,
  type SourceRecord,
  withChanges,
} from './record.ts'
export { compileRegex, fullMatch } from './regex.ts'
export {
  arrayOf,
  dateSchema,
  decimalSchema,
  type Field,
  logicalNames,
  mapOf,
  optionsOf,
  primitive,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  schemas,
  struct,
  timeSchema,
  timestampSchema,
  withOptions,
} from './schema.ts'
export { sdkVersion } from './sdk-version.ts'
export {
  definePredicate,
  defineTransformation,
  type FieldSource,
  type Predicate,
  type PredicateDefinition,
  type StructPlan,
  type StructPlanner,
  type Transform,
  type Transformation,
} from './transform.ts'
export { decimalToString, schemalessNumber, toBase64, valueToString } from './value-text.ts'
export { isInRange, isVersion } from './version-range.ts'
