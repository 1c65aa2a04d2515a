// Writes the option tables of README.md from the definitions. `--check` writes nothing and fails when they are old.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { ConfigDef, ConfigKey, PluginDefinition } from '@millrace/sdk'

interface PackageJson {
  millrace: { plugins: { name: string; module: string }[] }
}

const code = (text: string): string => `\`${text === '' ? '""' : text.replaceAll('|', '\\|')}\``

function defaultOf(key: ConfigKey): string {
  if (key.default === undefined) return 'required'
  if (key.default === null) return '-'
  return code(Array.isArray(key.default) ? key.default.join(',') : String(key.default))
}

function meaning(key: ConfigKey): string {
  const doc = key.doc.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
  const parts = [/[.!?]$/.test(doc) ? doc : `${doc}.`]
  if (key.oneOf) parts.push(`One of: ${key.oneOf.map(code).join(', ')}.`)
  if (key.min !== undefined) parts.push(`At least ${key.min}.`)
  if (key.max !== undefined) parts.push(`At most ${key.max}.`)
  if (key.example !== undefined) parts.push(`For example ${code(key.example)}.`)
  return parts.join(' ')
}

function optionTable(config: ConfigDef): string {
  const rows = Object.entries(config).map(([name, key]) => [code(name), key.type, defaultOf(key), meaning(key)])
  if (rows.length === 0) return 'No options.'
  const heads = ['key', 'type', 'default', 'meaning']
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[], fill: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  const ruler = line(Array<string>(heads.length).fill('-'), '-')
  return [line(heads, ' '), ruler, ...rows.map((row) => line(row, ' '))].join('\n')
}

/** The sources are read and not what was built, which may be older. */
async function definitionOf(module: string): Promise<PluginDefinition> {
  const source = module.replace(/^(\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts')
  return ((await import(pathToFileURL(source).href)) as { default: PluginDefinition }).default
}

const before = readFileSync('README.md', 'utf8')
let after = before
for (const { name, module } of (JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson).millrace.plugins) {
  const [begin, end] = [`<!-- options of ${name} -->`, `<!-- end of options of ${name} -->`]
  const [from, to] = [after.indexOf(begin), after.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`README.md lacks the lines "${begin}" and "${end}"`)
  const { config } = await definitionOf(module)
  after = `${after.slice(0, from + begin.length)}\n\n${optionTable(config)}\n\n${after.slice(to)}`
}
if (after === before) console.log('README.md says what the definitions say')
else if (process.argv.includes('--check')) {
  console.error('README.md is not what the definitions say; run "npm run readme"')
  process.exitCode = 1
} else {
  writeFileSync('README.md', after)
  console.log('wrote README.md')
}
