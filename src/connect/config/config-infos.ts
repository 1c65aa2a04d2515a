/** The definition of one key as REST shows it (ConfigKeyInfo of Kafka Connect 4.3). */
export interface ConfigKeyInfo {
  readonly name: string
  readonly type: 'STRING' | 'INT' | 'LONG' | 'SHORT' | 'DOUBLE' | 'BOOLEAN' | 'LIST' | 'CLASS' | 'PASSWORD'
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: 'HIGH' | 'MEDIUM' | 'LOW'
  readonly documentation: string
  readonly group: string | null
  readonly order_in_group: number
  readonly width: 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'
  readonly display_name: string
  readonly dependents: readonly string[]
}

/** What was submitted for a key and what is wrong with it. */
export interface ConfigValueInfo {
  readonly name: string
  readonly value: string | null
  readonly recommended_values: readonly string[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

/** The answer of a validation. */
export interface ConfigInfos {
  readonly name: string
  readonly error_count: number
  readonly groups: readonly string[]
  readonly configs: readonly { readonly definition: ConfigKeyInfo | null; readonly value: ConfigValueInfo }[]
}
