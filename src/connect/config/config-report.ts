import type { ConfigDef, RawConfig } from '@millrace/sdk'
import { type Checked, checkConfig, type ConfigInfo, type Presentation } from './config-def.ts'
import type { ConfigInfos } from './config-infos.ts'

/** Collects what a validation finds, in the order in which REST shows it. */
export class ConfigReport {
  readonly #raw: RawConfig
  readonly #infos = new Map<string, ConfigInfo>()
  readonly #groups = new Set<string>()

  constructor(raw: RawConfig) {
    this.#raw = raw
  }

  /** Checks the keys of a definition and takes them into the answer. */
  check(definition: ConfigDef, presentation: Presentation = {}): Checked {
    const checked = checkConfig(definition, this.#raw, presentation)
    for (const info of checked.infos) {
      this.#infos.set(info.value.name, info)
      if (info.definition?.group) this.#groups.add(info.definition.group)
    }
    return checked
  }

  /** Adds a problem to a key; a key without definition is listed without one, as Kafka does. */
  addError(key: string, message: string): void {
    const info = this.#infos.get(key) ?? {
      definition: null,
      value: { name: key, value: this.#raw[key] ?? null, recommended_values: [], errors: [], visible: true },
    }
    if (info.value.errors.includes(message)) return
    this.#infos.set(key, { ...info, value: { ...info.value, errors: [...info.value.errors, message] } })
  }

  hasErrors(keys: Iterable<string>): boolean {
    return [...keys].some((key) => (this.#infos.get(key)?.value.errors.length ?? 0) > 0)
  }

  finish(name: string): ConfigInfos {
    const configs = [...this.#infos.values()]
    const errors = configs.reduce((sum, info) => sum + info.value.errors.length, 0)
    return { name, error_count: errors, groups: [...this.#groups], configs }
  }
}
