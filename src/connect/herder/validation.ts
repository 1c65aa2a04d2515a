import { HIDDEN, type RawConfig } from '@millrace/sdk'
import { REQUIRED_LABELS } from '../config/worker-labels.ts'
import type { ConfigInfos } from '../config/config-infos.ts'
import { HerderError } from './errors.ts'

/** Kafka's text for a configuration that does not pass: every problem in one answer. */
export function invalidConfigMessage(errors: readonly string[]): string {
  return (
    `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
    'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`'
  )
}

/** All messages of a validation. */
export function errorsOf(infos: ConfigInfos): readonly string[] {
  return infos.configs.flatMap((config) => config.value.errors)
}

/** Adds a message to the value of one key; a key that nobody defined is listed without definition. */
export function withError(infos: ConfigInfos, key: string, message: string): ConfigInfos {
  const known = infos.configs.some((config) => config.value.name === key)
  const configs = known
    ? infos.configs.map((config) =>
        config.value.name === key
          ? { ...config, value: { ...config.value, errors: [...config.value.errors, message] } }
          : config,
      )
    : [
        ...infos.configs,
        {
          definition: null,
          value: { name: key, value: null, recommended_values: [], errors: [message], visible: true },
        },
      ]
  return { ...infos, error_count: infos.error_count + 1, configs }
}

/** Checks that only the herder can make. */
export function withHerderChecks(infos: ConfigInfos, config: RawConfig): ConfigInfos {
  let checked = infos
  for (const [key, value] of Object.entries(config)) {
    if (value !== HIDDEN) continue
    checked = withError(
      checked,
      key,
      `Invalid value ${HIDDEN} for configuration ${key}: this stands for a stored secret, and none is stored; write the value itself`,
    )
  }
  const labels = config[REQUIRED_LABELS]
  if (labels?.includes('${')) {
    checked = withError(
      checked,
      REQUIRED_LABELS,
      `Invalid value ${labels} for configuration ${REQUIRED_LABELS}: the leader of the group reads it as it is written, ` +
        'and no config provider is asked; write the labels themselves',
    )
  }
  return checked
}

/** Throws the 400 that lists every error, when there are any. */
export function requireValid(infos: ConfigInfos): void {
  const errors = errorsOf(infos)
  if (errors.length > 0) throw new HerderError('BAD_REQUEST', invalidConfigMessage(errors))
}

/** The configuration with the name in it, which may be left out of a body whose URL says it. */
export function withName(name: string, config: RawConfig): RawConfig {
  const given = config.name
  if (given !== undefined && given !== name) {
    throw new HerderError(
      'BAD_REQUEST',
      `Connector name configuration (${given}) doesn't match connector name in the URL (${name})`,
    )
  }
  return given === undefined ? { ...config, name } : config
}
