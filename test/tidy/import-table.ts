import { dirname, normalize } from 'node:path'
import { parseSync } from 'oxc-parser'

/** Which module may import which. ARCHITECTURE.md prints this table, so text and rule cannot differ. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'plugins/sdk': [],
  'src/record': ['src/base'],
  'src/log': ['src/base', 'src/record'],
  'src/protocol': ['src/base', 'src/record'],
  'src/broker': ['src/base', 'src/record', 'src/log', 'src/protocol'],
  'src/client': ['src/base', 'src/record', 'src/protocol'],
  'src/connect': ['src/base', 'src/client', 'src/record', 'plugins/sdk'],
  'src/rest': ['src/base', 'src/connect', 'src/client'],
  'src/cli': ['src/*', 'plugins/sdk', 'connectors', 'transforms'],
  'src/server.ts': ['src/*', 'plugins/sdk', 'connectors', 'transforms'],
  'src/catalogue.ts': ['src/*', 'plugins/sdk', 'connectors', 'transforms'],
  connectors: ['connectors/*', 'plugins/sdk'],
  'connectors/*': ['plugins/sdk', 'connectors/_shared'],
  'connectors/_shared': ['plugins/sdk'],
  transforms: ['plugins/sdk'],
  'plugins/testkit': ['plugins/sdk'],
  'plugins/create-connector': ['plugins/sdk', 'plugins/testkit'],
  'plugins/examples': ['plugins/sdk'],
}

const PACKAGES: Readonly<Record<string, string>> = {
  '@millrace/sdk': 'plugins/sdk',
  '@millrace/testkit': 'plugins/testkit',
}

/** The module a file belongs to: its folder below src, connectors or plugins, or the file itself directly below src. */
export function moduleOf(file: string): string {
  const [top, second, ...rest] = file.split('/')
  if (top === 'src' || top === 'plugins') return `${top}/${second}`
  if (top === 'connectors') return rest.length === 0 ? 'connectors' : `connectors/${second}`
  return top as string
}

/** The specifiers of all imports of a file: static, dynamic, type-only and re-exports; a computed dynamic import is `<computed>`. */
export function importsOf(file: string, text: string): string[] {
  const { module } = parseSync(file, text)
  const dynamic = module.dynamicImports.map((entry) => {
    const argument = text.slice(entry.moduleRequest.start, entry.moduleRequest.end)
    return /^(['"`])[^$]*\1$/.test(argument) ? argument.slice(1, -1) : '<computed>'
  })
  const reExports = module.staticExports.flatMap((entry) => entry.entries.map((e) => e.moduleRequest?.value))
  return [...module.staticImports.map((entry) => entry.moduleRequest.value), ...reExports, ...dynamic].filter(
    (specifier) => specifier !== undefined,
  )
}

function allows(allowed: readonly string[], to: string): boolean {
  return allowed.some((entry) => entry === to || (entry.endsWith('/*') && to.startsWith(entry.slice(0, -1))))
}

/** One line for each import of the file that the table forbids. */
export function violations(file: string, text: string): string[] {
  const from = moduleOf(file)
  const allowed = ALLOWED[from] ?? ALLOWED[from.replace(/\/.*/, '/*')]
  if (!allowed) return [`${file}: module ${from} is not in the import table`]
  return importsOf(file, text).flatMap((specifier) => {
    if (specifier === '<computed>') {
      return mayComputeImports(file) ? [] : [`${file}: import() with a computed path cannot be checked`]
    }
    const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier
    const to = specifier.startsWith('.') ? moduleOf(normalize(`${dirname(file)}/${specifier}`)) : PACKAGES[name]
    if (specifier.startsWith('#')) return [`${file}: use a relative path instead of the alias ${specifier}`]
    if (to === undefined || to === from || allows(allowed, to)) return door(file, specifier, from, to)
    return [`${file}: ${from} may not import ${to} (${specifier})`]
  })
}

/** Modules of src are entered by their index.ts, so that their inside can change. */
function door(file: string, specifier: string, from: string, to: string | undefined): string[] {
  if (to === undefined || to === from || !to.startsWith('src/') || to.endsWith('.ts')) return []
  const path = normalize(`${dirname(file)}/${specifier}`)
  const isDoor = path === `${to}/index.ts` || path === `${to}/real/index.ts`
  return isDoor ? [] : [`${file}: import ${to} by its index.ts, not by ${specifier}`]
}

/**
 * The plugin loader imports what manifests name, and so does the script that writes the README of a plugin; the testkit
 * imports the plugin that it checks, and the clients that it is to have.
 */
function mayComputeImports(file: string): boolean {
  if (/^plugins\/testkit\/src\/(life-process|kafka-clients)\.ts$/.test(file)) return true
  return /^(src\/(connect\/(plugins|host)|cli)|plugins\/create-connector\/templates\/common\/scripts)\//.test(file)
}
