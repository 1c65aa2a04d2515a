import { type ConfigDef, type ConfigKey, parseConfig, type PluginDefinition, type RawConfig } from '@millrace/sdk'
import { type Check, expectThat, messageOf, notApplicable } from './check.ts'
import { manifestProblems } from './manifest-problems.ts'
import type { InvalidConfig, PluginOptions } from './options.ts'

/** The checks that every kind of plugin has. */
export type DefinitionCheck = 'definition' | 'manifest' | 'valid-config' | 'required-config' | 'invalid-config'

/** How a plugin takes a configuration. */
export interface ConfigProbe {
  /** A configuration that is valid, and what has to be closed after it. */
  open(): Promise<{ readonly config: RawConfig; close?(): Promise<void> | void }>
  /** Brings a plugin to life with it as far as its configuration matters, and ends it. Throws where it is refused. */
  use(raw: RawConfig): Promise<void>
}

/** The checks of the definition and of its configuration. */
export function definitionChecks(
  definition: PluginDefinition,
  options: PluginOptions<never>,
  probe: ConfigProbe,
): readonly Check<DefinitionCheck>[] {
  return [
    {
      name: 'definition',
      title: 'names, texts, defaults and bounds of the definition hold together',
      run: async () => expectNone(definitionProblems(definition)),
    },
    {
      name: 'manifest',
      title: 'manifest and package.json say of the plugin what it says itself',
      run: async () => {
        const { manifest, packageFile } = options
        if (!manifest && !packageFile) notApplicable('the options have neither `packageFile` nor `manifest`')
        expectNone(manifestProblems(definition, manifest, packageFile))
      },
    },
    {
      name: 'valid-config',
      title: 'the configuration of the checks is taken',
      run: () => withConfig(probe, (raw) => probe.use(raw)),
    },
    {
      name: 'required-config',
      title: 'a configuration without a required key is refused by the name of the key',
      run: async () => {
        const keys = Object.entries<ConfigKey>(definition.config).filter(([, key]) => key.default === undefined)
        const required = new Set([...keys.map(([name]) => name), ...(options.required ?? [])])
        if (required.size === 0) notApplicable('no key is required')
        await withConfig(probe, async (valid) => {
          for (const key of required)
            await expectRefused(probe, valid, { config: { [key]: undefined }, key }, definition.config)
        })
      },
    },
    {
      name: 'invalid-config',
      title: 'invalid values are refused by the name of their key, and passwords are not shown',
      run: async () => {
        const invalid = [...illTyped(definition.config), ...(options.invalid ?? [])]
        if (invalid.length === 0) notApplicable('every value of every key is valid')
        await withConfig(probe, async (valid) => {
          for (const each of invalid) await expectRefused(probe, valid, each, definition.config)
        })
      },
    },
  ]
}

/** What is wrong with a definition, by itself. */
export function definitionProblems(definition: PluginDefinition): readonly string[] {
  const { name, version, aliases = [], config } = definition
  const problems: string[] = []
  if (!/^[A-Za-z_][\w.$]*$/.test(name)) problems.push(`the name "${name}" is no class name`)
  if (!/^\d+\.\d+\.\d+/.test(version)) problems.push(`the version "${version}" is not of the form 1.2.3`)
  const names = [name, ...aliases]
  const twice = names.find((each, index) => names.indexOf(each) !== index)
  if (twice !== undefined) problems.push(`the name ${twice} is there twice among name and aliases`)
  if ('doc' in definition && definition.doc.trim().length < MIN_DOC) problems.push('the plugin has no `doc`')
  const owners = new Map<string, string>()
  for (const [key, spec] of Object.entries<ConfigKey>(config)) {
    problems.push(...keyProblems(config, key, spec))
    for (const each of [key, ...(spec.aliases ?? [])]) {
      const owner = owners.get(each)
      if (owner !== undefined) problems.push(`the configuration key ${each} means both ${owner} and ${key}`)
      owners.set(each, key)
    }
  }
  return problems
}

const MIN_DOC = 5

function keyProblems(config: ConfigDef, name: string, key: ConfigKey): readonly string[] {
  const problems: string[] = []
  if (key.doc.trim().length < MIN_DOC) problems.push(`${name} has no doc`)
  if (key.min !== undefined && key.max !== undefined && key.min > key.max) problems.push(`${name} has min above max`)
  if (key.oneOf?.length === 0) problems.push(`${name} has an empty oneOf: no value is valid`)
  for (const dependent of key.dependents ?? []) {
    if (!(dependent in config)) problems.push(`${name} names the dependent ${dependent}, which is no key`)
  }
  const texts = [key.default, key.type === 'password' ? undefined : key.example]
  for (const [index, value] of texts.entries()) {
    if (value === undefined || value === null) continue
    const { issues } = parseConfig({ [name]: key } as ConfigDef, { [name]: textOf(value) })
    const what = index === 0 ? 'default' : 'example'
    for (const { message } of issues) problems.push(`the ${what} of ${name} is not valid: ${message}`)
  }
  return problems
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value as string | number | boolean)
}

/** Values that no key of their kind takes. */
function illTyped(config: ConfigDef): readonly InvalidConfig[] {
  return Object.entries<ConfigKey>(config).flatMap(([key, { type, oneOf, min }]) => {
    const numeric = type === 'int' || type === 'long' || type === 'short' || type === 'double'
    const values = numeric ? ['many'] : type === 'boolean' ? ['maybe'] : oneOf ? ['no-such-value'] : []
    if (numeric && min !== undefined) values.push(String(min - 1))
    return values.map((value) => ({ config: { [key]: value }, key }))
  })
}

async function withConfig(probe: ConfigProbe, use: (raw: RawConfig) => Promise<void>): Promise<void> {
  const system = await probe.open()
  try {
    await use(system.config)
  } finally {
    await system.close?.()
  }
}

async function expectRefused(
  probe: ConfigProbe,
  valid: RawConfig,
  invalid: InvalidConfig,
  config: ConfigDef,
): Promise<void> {
  const removed = Object.keys(invalid.config).filter((key) => invalid.config[key] === undefined)
  const otherNames = removed.flatMap((key) => config[key]?.aliases ?? []).map((alias) => [alias, undefined] as const)
  const entries = Object.entries({ ...valid, ...Object.fromEntries(otherNames), ...invalid.config })
  const raw = Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
  const changes = Object.entries(invalid.config)
  const what = changes.map(([key, value]) => (value === undefined ? `no ${key}` : `${key}=${value}`)).join(', ')
  const message = await probe.use(raw).then(() => undefined, messageOf)
  expectThat(message !== undefined, `a configuration with ${what} was taken`)
  for (const word of [invalid.key, ...(invalid.says === undefined ? [] : [invalid.says])]) {
    expectThat(message.includes(word), `a configuration with ${what} was refused without "${word}": ${message}`)
  }
  for (const [key, value] of entries) {
    if (config[key]?.type !== 'password' || value === undefined || value === '') continue
    // A password that is also the name of a user or a part of the address says nothing by being there.
    const isShown = !entries.some(([other, text]) => other !== key && text?.includes(value)) && message.includes(value)
    expectThat(!isShown, `the message shows the password ${key}`)
  }
}

function expectNone(problems: readonly string[]): void {
  expectThat(problems.length === 0, () => problems.join('\n'))
}
