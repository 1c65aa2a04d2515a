import { isInRange, isVersion, type PluginKind, sdkVersion } from '@millrace/sdk'

type Delivery = 'at-most-once' | 'at-least-once' | 'exactly-once'

/** A plugin as the `millrace` key of a package.json declares it. */
export interface DeclaredPlugin {
  readonly kind: PluginKind
  readonly name: string
  readonly aliases: readonly string[]
  readonly version: string
  readonly title: string
  readonly summary: string
  readonly delivery?: Delivery
  /** The path of the module in the package; its default export is the definition. */
  readonly module: string
}

/** What a package says of itself, and whether it can be used. */
export interface PackageManifest {
  readonly name: string
  readonly version: string
  readonly plugins: readonly DeclaredPlugin[]
  /** Why it cannot be used; each says what to change. */
  readonly problems: readonly string[]
  /** What its author may want to know. */
  readonly notes: readonly string[]
}

const KINDS: readonly PluginKind[] = ['source', 'sink', 'transformation', 'predicate', 'converter', 'header-converter']
const DELIVERIES: readonly Delivery[] = ['at-most-once', 'at-least-once', 'exactly-once']
const SDK = '@millrace/sdk'

/** Letters of any case, as old names have them; never a path that leads elsewhere. */
export const PACKAGE_NAME: RegExp = /^(?:@[\w.~-]+\/)?(?![._])[\w.~-]+$/

/** The form of the `millrace` key that this version understands. */
const MANIFEST_VERSION = 1

type Json = Readonly<Record<string, unknown>>

/**
 * Reads the `millrace` key of a package.json; undefined for a package without one. `hasFile` tells whether the package
 * has a file at a path. Nothing of it is imported.
 */
export function readManifest(packageJson: unknown, hasFile: (path: string) => boolean): PackageManifest | undefined {
  if (!isObject(packageJson) || packageJson['millrace'] === undefined) return undefined
  const { name, version, millrace } = packageJson
  const problems: string[] = []
  const notes: string[] = []
  if (typeof name !== 'string' || !PACKAGE_NAME.test(name)) problems.push('`name` must be a name as npm has them')
  if (typeof version !== 'string' || !isVersion(version)) problems.push('`version` must be a version such as 1.0.0')
  const packageVersion = typeof version === 'string' ? version : '0.0.0'
  const declared = isObject(millrace) ? millrace : {}
  checkSdk(packageJson, declared, problems, notes)
  const plugins: DeclaredPlugin[] = []
  if (!Array.isArray(declared['plugins'])) problems.push('`millrace.plugins` must be a list')
  else if (declared['plugins'].length === 0) problems.push('`millrace.plugins` must name at least one plugin')
  else {
    for (const [index, entry] of declared['plugins'].entries()) {
      const plugin = readPlugin(entry, `millrace.plugins[${index}]`, packageVersion, hasFile, problems)
      if (plugin) plugins.push(plugin)
    }
  }
  const twice = plugins.find(({ name: one }, index) => plugins.findIndex((other) => other.name === one) !== index)
  if (twice) problems.push(`\`millrace.plugins\` names the class ${twice.name} twice`)
  return { name: typeof name === 'string' ? name : '', version: packageVersion, plugins, problems, notes }
}

function checkSdk(packageJson: Json, declared: Json, problems: string[], notes: string[]): void {
  const form = declared['manifest'] ?? MANIFEST_VERSION
  if (typeof form !== 'number' || form > MANIFEST_VERSION) {
    problems.push(
      `\`millrace.manifest\` is ${JSON.stringify(form)}, and this Millrace reads ${MANIFEST_VERSION}; update Millrace`,
    )
  }
  const dependencies = isObject(packageJson['dependencies']) ? packageJson['dependencies'] : {}
  const peers = isObject(packageJson['peerDependencies']) ? packageJson['peerDependencies'] : {}
  const range = declared['sdk'] ?? peers[SDK] ?? dependencies[SDK]
  if (dependencies[SDK] !== undefined) {
    notes.push(`${SDK} belongs in \`peerDependencies\`: the worker's own is used, not the one that the package brings`)
  }
  if (range === undefined) {
    notes.push(`\`peerDependencies\` does not name ${SDK}, so nobody can tell whether a later one fits`)
    return
  }
  const fits = typeof range === 'string' ? isInRange(sdkVersion, range) : undefined
  if (typeof range !== 'string' || fits === undefined) {
    problems.push(`${JSON.stringify(range)} is no range of versions of ${SDK}`)
  } else if (!fits) {
    problems.push(
      `it needs ${SDK} ${range}, and this Millrace has ${sdkVersion}; ` +
        `take a version of the plugin made for ${sdkVersion}, or a Millrace whose SDK is in the range`,
    )
  }
}

function readPlugin(
  entry: unknown,
  where: string,
  packageVersion: string,
  hasFile: (path: string) => boolean,
  problems: string[],
): DeclaredPlugin | undefined {
  if (!isObject(entry)) {
    problems.push(`\`${where}\` must be an object`)
    return undefined
  }
  const { kind, name, aliases, version, module, title, summary, delivery } = entry
  const before = problems.length
  if (!KINDS.includes(kind as PluginKind)) problems.push(`\`${where}.kind\` must be one of ${KINDS.join(', ')}`)
  if (typeof name !== 'string' || !/^[\w$.-]+$/.test(name)) problems.push(`\`${where}.name\` must be a class name`)
  if (delivery !== undefined && !DELIVERIES.includes(delivery as Delivery)) {
    problems.push(`\`${where}.delivery\` must be one of ${DELIVERIES.join(', ')}`)
  }
  const path = typeof module === 'string' ? module.replace(/^\.\//, '') : ''
  if (path === '') problems.push(`\`${where}.module\` must be the path of a JavaScript module`)
  else if (path.startsWith('/') || path.split('/').includes('..') || !hasFile(path)) {
    problems.push(
      `\`${where}.module\`: there is no ${path} in the package; build it first and name its folder in \`files\``,
    )
  } else if (/\.[cm]?ts$/.test(path)) {
    problems.push(`\`${where}.module\`: ${path} is TypeScript, which Node does not load from packages; build it first`)
  }
  if (problems.length > before) return undefined
  return {
    kind: kind as PluginKind,
    name: name as string,
    aliases: Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : [],
    version: typeof version === 'string' ? version : packageVersion,
    title: typeof title === 'string' ? title : (name as string),
    summary: typeof summary === 'string' ? summary : '',
    ...(delivery === undefined ? {} : { delivery: delivery as Delivery }),
    module: path,
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
