export type { Check, CheckResult, Outcome } from './check.ts'
export type { ConnectorCheck } from './connector-checks.ts'
export {
  type ConverterCheck,
  type ConverterOptions,
  type ConverterSample,
  runConverterChecks,
} from './converter-checks.ts'
export type { DefinitionCheck } from './definition-checks.ts'
export { describeConverter, describeSink, describeSource, describeTransform } from './describe.ts'
export type { TestEvent } from './event.ts'
export type { ProvedGuarantee } from './guarantee.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export type {
  ConnectorOptions,
  Guarantee,
  InvalidConfig,
  PluginOptions,
  SinkOptions,
  SinkSystem,
  SourceOptions,
  SourceSystem,
} from './options.ts'
export { conformanceOf, type ConformanceReport, type PluginConformance, writeConformance } from './report.ts'
export { runSinkChecks, type SinkCheck } from './sink-checks.ts'
export type { RecordParts } from './sink-topic.ts'
export { runSourceChecks, type SourceCheck } from './source-checks.ts'
export { testkitVersion } from './testkit-version.ts'
export {
  runTransformChecks,
  type TransformCheck,
  type TransformOptions,
  type TransformSample,
} from './transform-checks.ts'
