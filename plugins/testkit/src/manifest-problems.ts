import { isInRange, type PluginDefinition, type PluginManifest, sdkVersion } from '@millrace/sdk'
import { type JsonObject, packageEntries, packageEntry, readPackage } from './package-file.ts'

/** Where manifest and package.json say something else than the definition. */
export function manifestProblems(
  definition: PluginDefinition,
  manifest: PluginManifest | undefined,
  packageFile: URL | undefined,
): readonly string[] {
  return [
    ...(manifest ? differences(definition, manifest, 'the manifest') : []),
    ...(packageFile ? packageProblems(definition, readPackage(packageFile)) : []),
  ]
}

interface Described {
  readonly kind?: unknown
  readonly name?: unknown
  readonly version?: unknown
  readonly aliases?: unknown
}

function differences(definition: PluginDefinition, described: Described, where: string): readonly string[] {
  const { kind, name, version, aliases = [] } = definition
  return Object.entries({ kind, name, version, aliases }).flatMap(([field, own]) => {
    const other = described[field as keyof Described] ?? (field === 'aliases' ? [] : undefined)
    const same = JSON.stringify(own) === JSON.stringify(other)
    return same ? [] : [`${where} has ${field} ${JSON.stringify(other)}, the definition ${JSON.stringify(own)}`]
  })
}

function packageProblems(definition: PluginDefinition, json: JsonObject): readonly string[] {
  const { kind, name } = definition
  const problems: string[] = []
  if (!isList(json['keywords']).includes('millrace-plugin')) {
    problems.push('package.json lacks the keyword millrace-plugin, by which plugins are found')
  }
  for (const field of ['name', 'version', 'license']) {
    if (typeof json[field] !== 'string') problems.push(`package.json has no ${field}`)
  }
  problems.push(...rangeProblems(json), ...repeatedNames(json))
  const entry = packageEntry(json, kind, name)
  if (!entry)
    return [...problems, `millrace.plugins of package.json has no entry of kind ${kind} with the name ${name}`]
  problems.push(...differences(definition, { version: json['version'], ...entry }, 'package.json'))
  return [...problems, ...moduleProblems(entry, json)]
}

function rangeProblems(json: JsonObject): readonly string[] {
  const range = ((json['peerDependencies'] ?? {}) as JsonObject)['@millrace/sdk']
  if (typeof range !== 'string') return ['package.json does not name @millrace/sdk in its peerDependencies']
  const fits = isInRange(sdkVersion, range)
  if (fits === undefined) return [`the range "${range}" of @millrace/sdk in peerDependencies cannot be read`]
  return fits ? [] : [`peerDependencies ask for @millrace/sdk ${range}, the checks run with ${sdkVersion}`]
}

function repeatedNames(json: JsonObject): readonly string[] {
  const names = packageEntries(json).flatMap((entry) =>
    [entry['name'], ...isList(entry['aliases'])].map((name) => `${String(entry['kind'])} ${String(name)}`),
  )
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  return [...repeated].map((name) => `millrace.plugins of package.json has the ${name} twice`)
}

/** The module need not be built for the checks, but it has to be among what is published. */
function moduleProblems(entry: JsonObject, json: JsonObject): readonly string[] {
  const module = entry['module']
  if (typeof module !== 'string') return ['millrace.plugins of package.json does not say the `module` of the plugin']
  const path = module.replace(/^\.\//, '')
  if (!/\.m?js$/.test(path)) return [`the module ${module} is no JavaScript: Node runs no TypeScript of packages`]
  const files = isList(json['files']).map((file) => String(file).replace(/^\.\/|\/?(\*\*?(\/\*)?)?$/g, ''))
  const isPacked = !Array.isArray(json['files']) || files.some((file) => path === file || path.startsWith(`${file}/`))
  return isPacked ? [] : [`the module ${module} is not among the \`files\` of package.json, so it is not published`]
}

function isList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
