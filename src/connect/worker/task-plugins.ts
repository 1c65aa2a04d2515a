import {
  ConfigError,
  type ConfigDef,
  type ConnectRecord,
  type HeaderConverter,
  parseConfigOrThrow,
  type Predicate,
  type RawConfig,
} from '@millrace/sdk'
import { converterOf, predicatesOf, transformationSteps } from '../config/connector-config.ts'
import type { PluginRegistry } from '../plugins/plugin-registry.ts'
import type { PacedLogs } from './paced-logs.ts'
import type { Converters } from './source-pipeline.ts'
import { type ChainStep, TransformationChain } from './transformation-chain.ts'

/** Which version of a converter, transformation or predicate, as its own options have it. */
const VERSION = 'plugin.version'

/** A plugin's own options as it gets them: parsed by its definition. */
function parsed(definition: { readonly config: ConfigDef }, raw: RawConfig): never {
  return parseConfigOrThrow(definition.config, raw) as never
}

/** Sets up the converters of a task: the connector's own, else the worker's. */
export async function createConverters(
  registry: PluginRegistry,
  connector: RawConfig,
  worker: RawConfig,
  logs: PacedLogs,
): Promise<Converters> {
  const dataConverter = async (name: 'key.converter' | 'value.converter') => {
    const { className, config } = converterOf(name, connector, worker)
    if (className === '') throw new ConfigError(`Missing required configuration "${name}"`, { key: name })
    const definition = await registry.load(className, ['converter'], config[VERSION])
    const context = { isKey: name === 'key.converter', logger: logs.of({ converter: name }) }
    return { className, converter: definition.create(parsed(definition, config), context) }
  }
  const key = await dataConverter('key.converter')
  const value = await dataConverter('value.converter')
  const header = converterOf('header.converter', connector, worker)
  return {
    key: key.converter,
    value: value.converter,
    header: await createHeaderConverter(registry, header.className, header.config, logs),
    keyClass: key.className,
    valueClass: value.className,
    headerClass: header.className,
  }
}

async function createHeaderConverter(
  registry: PluginRegistry,
  className: string,
  config: RawConfig,
  logs: PacedLogs,
): Promise<HeaderConverter> {
  const definition = await registry.load(className, ['header-converter', 'converter'], config[VERSION])
  if (!definition.createHeader) {
    throw new ConfigError(`Invalid value ${className} for configuration header.converter: it cannot convert headers`, {
      key: 'header.converter',
    })
  }
  return definition.createHeader(parsed(definition, config), { logger: logs.of({ converter: 'header.converter' }) })
}

/** Sets up the transformations of a task in their order, with their predicates. */
export async function createChain<R extends ConnectRecord>(
  registry: PluginRegistry,
  connector: RawConfig,
  logs: PacedLogs,
): Promise<TransformationChain<R>> {
  const predicates = new Map<string, Predicate>()
  for (const { alias, className, config } of predicatesOf(connector)) {
    const definition = await registry.load(className, ['predicate'], config[VERSION])
    const context = { logger: logs.of({ predicate: alias }) }
    predicates.set(alias, definition.create(parsed(definition, config), context))
  }
  const steps: ChainStep[] = []
  for (const { alias, className, config, predicate, negate } of transformationSteps(connector)) {
    const definition = await registry.load(className, ['transformation'], config[VERSION])
    const context = { logger: logs.of({ transformation: alias }) }
    const transform = definition.create(parsed(definition, config), context)
    const condition = predicate === null ? null : predicates.get(predicate)
    if (condition === undefined) {
      const key = `transforms.${alias}.predicate`
      throw new ConfigError(`Invalid value ${predicate} for configuration ${key}: no predicate of this name`, { key })
    }
    steps.push({ alias, className, transform, predicate: condition, negate })
  }
  return new TransformationChain<R>(steps)
}
